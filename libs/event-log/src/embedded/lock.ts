import { readFileSync } from 'node:fs';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const LOCK_FILE = 'lock';

/** Who holds the lock. The start tells a process from a later one that got the same number, as it happens in containers. */
interface Holder {
  readonly pid: number;
  readonly start: string;
}

/**
 * Takes the directory for this process, so that no two write to the same log. A lock whose process is dead is taken
 * over. Throws an error that names the holder. The result gives the lock up.
 */
export async function lockDirectory(dir: string): Promise<() => Promise<void>> {
  const path = join(dir, LOCK_FILE);
  const self: Holder = { pid: process.pid, start: startOf(process.pid) };
  if (!(await createLock(path, self))) {
    const holder = await readHolder(path);
    if (holder !== undefined && isAlive(holder)) {
      throw new Error(`${dir} is in use by process ${holder.pid} (lock file ${path})`);
    }
    await removeStaleLock(path, holder);
    if (!(await createLock(path, self))) {
      const winner = await readHolder(path);
      throw new Error(`${dir} has just been taken by process ${winner?.pid ?? 'unknown'}`);
    }
  }
  return () => rm(path, { force: true });
}

/** False when somebody has the lock. A link, since the lock must have its content from the first moment on. */
async function createLock(path: string, self: Holder): Promise<boolean> {
  const draft = `${path}.new-${process.pid}`;
  await writeFile(draft, JSON.stringify(self));
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

/** Undefined when the lock is gone or is not one of ours. */
async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    const { pid, start } = JSON.parse(await readFile(path, 'utf8')) as Partial<Holder>;
    return typeof pid === 'number' && typeof start === 'string' ? { pid, start } : undefined;
  } catch {
    return undefined;
  }
}

/** Moves the lock aside first: of two processes that found it stale only one gets it, and sees whether it is still the stale one. */
async function removeStaleLock(path: string, stale: Holder | undefined): Promise<void> {
  const aside = `${path}.${process.pid}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const moved = await readHolder(aside);
  if (moved?.pid === stale?.pid && moved?.start === stale?.start) await rm(aside, { force: true });
  else await rename(aside, path);
}

function isAlive(holder: Holder): boolean {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    // EPERM: it runs, but as another user.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return holder.start === startOf(holder.pid);
}

/** When a process was started, in the kernel's ticks; empty where the system does not tell. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name, in parentheses, may contain spaces; the start is the 20th field behind it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}
