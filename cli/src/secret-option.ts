import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type Io, UsageError } from './io.ts';

/**
 * The secret that an option stands for: itself, or what `env:NAME` or `file:PATH` refers to. One on the command line is seen by
 * everyone on the machine; a reference to it tells nothing.
 */
export function secretOf(text: string, { env, cwd }: Io): string {
  if (text.startsWith('file:')) return contentOf(path.resolve(cwd, text.slice(5)));
  if (!text.startsWith('env:')) return text;
  const secret = env[text.slice(4)];
  if (secret === undefined) throw new UsageError(`the environment variable ${text.slice(4)} is not set`);
  return secret;
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new UsageError(`the token cannot be read: ${(error as Error).message}`);
  }
}
