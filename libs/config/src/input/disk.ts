import { readFileSync, statSync } from 'node:fs';

/** The files that a configuration refers to: secrets and plugins. */
export interface Disk {
  /** Throws what `fs` throws. */
  readBytes(path: string): Uint8Array;
  isFile(path: string): boolean;
}

/** The real disk. It is read in one go: a configuration is loaded at the start and on a change, and its files are small. */
export const realDisk: Disk = {
  readBytes: (path) => readFileSync(path),
  isFile: (path) => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false,
};

/** A disk on which nothing is. */
export const emptyDisk: Disk = {
  readBytes(path) {
    throw Object.assign(new Error(`no such file: ${path}`), { code: 'ENOENT' });
  },
  isFile: () => false,
};

/** Why a file could not be read, in words. */
export function readFailure(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'there is no such file';
  if (code === 'EISDIR') return 'this is a directory, not a file';
  if (code === 'EACCES' || code === 'EPERM') return 'the file cannot be read: permission denied';
  return `the file cannot be read: ${code}`;
}

/** Where bytes stop being UTF-8. */
export interface BadByte {
  readonly line: number;
  readonly column: number;
}

/** The text of a file, without a byte order mark, or the place of the first byte that is not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | BadByte {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = buffer.toString('utf8');
  const again = Buffer.from(text, 'utf8');
  if (buffer.equals(again)) return text.startsWith('\uFEFF') ? text.slice(1) : text;
  let index = 0;
  while (buffer[index] === again[index]) index++;
  const before = buffer.subarray(0, index).toString('utf8').split('\n');
  return { line: before.length, column: before.at(-1)!.length + 1 };
}
