import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

/**
 * The key in a file, which only its owner may read; the one that is offered is put there when there is none. Throws when the
 * file can be neither read nor written.
 */
export function keptKey(file: string, offered: string): string {
  const kept = read(file);
  if (kept !== undefined) return kept;
  // As a whole or not at all, and never over one that is there.
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${offered}\n`, { mode: 0o600, flush: true });
  try {
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  return read(file) ?? offered;
}

/** Undefined when there is none, or none that could be one. */
function read(file: string): string | undefined {
  try {
    const text = readFileSync(file, 'utf8').trim();
    return text === '' ? undefined : text;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
