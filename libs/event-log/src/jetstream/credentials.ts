import { readFileSync } from 'node:fs';
import { type Authenticator, credsAuthenticator, nkeyAuthenticator } from 'nats';

const NKEY_SEED = /^S[A-Z2-7]{57}$/;

/**
 * How to prove who we are, from a creds file (JWT and seed) or a bare nkey seed: the text itself, or the path of a file
 * that holds it. A file is read again for each connection, so that keys can be changed while Usher runs. Throws when
 * the file cannot be read or holds neither.
 */
export function authenticatorOf(credentials: string): Authenticator {
  const isText = NKEY_SEED.test(credentials.trim()) || credentials.includes('-----BEGIN');
  const path = credentials.replace(/^file:/, '');
  const read = (): string => (isText ? credentials : readFileSync(path, 'utf8'));
  const text = read();
  const bytes = (): Uint8Array => Buffer.from(read().trim());
  if (text.includes('-----BEGIN')) return credsAuthenticator(bytes);
  if (NKEY_SEED.test(text.trim())) return nkeyAuthenticator(bytes);
  throw new Error('the NATS credentials hold neither a creds file nor an nkey seed');
}
