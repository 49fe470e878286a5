import { randomUUID } from 'node:crypto';
import { link, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LogReplacedError, LogUnavailableError } from '@usher/ports';
import { type Holder, parseHolder, stateOf, thisProcess } from './lock-holder.ts';

const LOCK_FILE = 'lock';
const RENEW_MS = 1_000;
/** A lock whose holder cannot be looked for is stale when it has not been renewed for so long. */
const STALE_MS = 5_000;
/** For so long after a renewal nobody can have found the lock stale, so it need not be looked at. */
const TRUST_MS = STALE_MS / 2;
const POLL_MS = 200;

/** The right to write in a directory. */
export interface DirectoryLock {
  /**
   * Resolves when this process holds the lock. Throws LogReplacedError once another has taken it, as it may when this
   * process stood still for long, and LogUnavailableError when the lock cannot be looked at.
   */
  assertHeld(): Promise<void>;
  release(): Promise<void>;
}

/**
 * Takes the directory for this process, so that no two write to the same log. The lock is a file that its holder renews
 * each second: processes of other containers, which share the files and see nothing else of each other, know by that
 * whether it lives. A lock is taken over at once when its process is known to be dead, and otherwise after it was not
 * renewed for some seconds. Throws an error that names the holder.
 */
export async function lockDirectory(dir: string): Promise<DirectoryLock> {
  const path = join(dir, LOCK_FILE);
  const owner = randomUUID();
  const text = JSON.stringify(thisProcess(owner));
  for (;;) {
    const takenAtMs = await createLock(path, owner, text);
    if (takenAtMs === undefined) return new HeldLock(path, text);
    const seen = await look(path);
    if (seen === undefined) continue;
    const state = seen.holder === undefined ? 'unknown' : stateOf(seen.holder);
    if (state === 'running') throw inUse(dir, path, seen.holder);
    if (state === 'unknown') await awaitSilence(dir, path, seen, takenAtMs - seen.renewedMs);
    await removeStaleLock(path, owner, seen);
  }
}

class HeldLock implements DirectoryLock {
  readonly #path: string;
  readonly #text: string;
  readonly #timer: NodeJS.Timeout;
  #renewedMs = performance.now();
  #renewing: Promise<void> | undefined;
  #lost = false;

  constructor(path: string, text: string) {
    this.#path = path;
    this.#text = text;
    // What fails here is tried again a second later; who writes meanwhile is told.
    this.#timer = setInterval(() => void this.#renew().catch(() => {}), RENEW_MS);
    this.#timer.unref();
  }

  async assertHeld(): Promise<void> {
    if (!this.#lost && performance.now() - this.#renewedMs < TRUST_MS) return;
    if (!this.#lost) await this.#renew();
    if (!this.#lost) return;
    const holder = (await look(this.#path))?.holder;
    const who = holder === undefined ? 'the lock is gone' : `process ${holder.pid} has taken it`;
    throw new LogReplacedError(
      `this process no longer holds the event log in files (${this.#path}: ${who}) and writes nothing more; restart it, with a data directory that no other process uses`,
    );
  }

  async release(): Promise<void> {
    clearInterval(this.#timer);
    await this.#renewing?.catch(() => {});
    const now = await look(this.#path);
    if (!this.#lost && now?.text === this.#text) await rm(this.#path, { force: true });
  }

  #renew(): Promise<void> {
    this.#renewing ??= this.#renewNow().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  /** Writes the file anew, with the same text: its time then is that of whoever keeps the files. */
  async #renewNow(): Promise<void> {
    const startedMs = performance.now();
    try {
      const handle = await open(this.#path, 'r+');
      try {
        if ((await handle.readFile('utf8')) !== this.#text) {
          this.#lost = true;
          return;
        }
        await handle.write(this.#text, 0);
      } finally {
        await handle.close();
      }
      this.#renewedMs = startedMs;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') this.#lost = true;
      else
        throw new LogUnavailableError(`the lock ${this.#path} cannot be renewed: ${message}`, {
          cause: error,
        });
    }
  }
}

/** A lock as it was found. */
interface Seen {
  readonly text: string;
  readonly holder: Holder | undefined;
  readonly renewedMs: number;
}

/** Undefined when there is no lock. */
async function look(path: string): Promise<Seen | undefined> {
  try {
    const { mtimeMs } = await stat(path);
    const text = await readFile(path, 'utf8');
    return { text, holder: parseHolder(text), renewedMs: mtimeMs };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The process that has a directory for itself; undefined when none does, as far as can be told. */
export async function holderOf(dir: string): Promise<number | undefined> {
  const holder = (await look(join(dir, LOCK_FILE)))?.holder;
  return holder !== undefined && stateOf(holder) === 'running' ? holder.pid : undefined;
}

/**
 * Makes the lock; when somebody has it, the present time by the clock of the files, which may not be ours. A link, since
 * the lock must have its content from the first moment on.
 */
async function createLock(path: string, owner: string, text: string): Promise<number | undefined> {
  const draft = `${path}.new-${owner}`;
  await writeFile(draft, text);
  try {
    await link(draft, path);
    return undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return (await stat(draft)).mtimeMs;
  } finally {
    await rm(draft, { force: true });
  }
}

/** Waits until the lock has not been renewed for long enough, counting from `silentMs`; throws when it is. */
async function awaitSilence(dir: string, path: string, seen: Seen, silentMs: number): Promise<void> {
  const waitMs = STALE_MS - Math.max(0, silentMs);
  const startMs = performance.now();
  while (performance.now() - startMs < waitMs) {
    await sleep(POLL_MS);
    const now = await look(path);
    if (now === undefined) return;
    if (now.text !== seen.text || now.renewedMs !== seen.renewedMs) throw inUse(dir, path, now.holder);
  }
}

/** Moves the lock aside first: of two processes that found it stale only one gets it, and sees whether it is still the stale one. */
async function removeStaleLock(path: string, owner: string, stale: Seen): Promise<void> {
  const aside = `${path}.stale-${owner}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const moved = await look(aside);
  if (moved?.text === stale.text && moved.renewedMs === stale.renewedMs) await rm(aside, { force: true });
  else await rename(aside, path);
}

function inUse(dir: string, path: string, holder: Holder | undefined): Error {
  const who = holder === undefined ? 'a process' : `process ${holder.pid}`;
  const where =
    holder !== undefined && stateOf(holder) === 'unknown' ? ' of another container or machine' : '';
  return new Error(
    `${dir} is in use by ${who}${where} (lock file ${path}): stop it, or give this process a directory of its own with the key data`,
  );
}
