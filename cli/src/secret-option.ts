import path from 'node:path';
import { readSecret } from '@usher/config';
import { type Io, UsageError } from './io.ts';

/**
 * The secret that an option stands for: itself, or what `env:NAME` or `file:PATH` refers to. One on the command line is seen by
 * everyone on the machine; a reference to it tells nothing.
 */
export function secretOf(text: string, { env, cwd }: Io): string {
  const reference = text.startsWith('file:') ? `file:${path.resolve(cwd, text.slice(5))}` : text;
  let secret: string;
  try {
    secret = readSecret(reference, env);
  } catch (error) {
    throw new UsageError(`--token: ${(error as Error).message}`);
  }
  // It is not quoted: whoever reads along would have it.
  if (!/^[\x21-\x7e]+$/.test(secret)) throw new UsageError('--token: it has blanks in it, or is empty');
  return secret;
}
