import { hashOf } from './strategies/hash.ts';

const LENGTH_MAX = 63;
const HASH_DIGITS = 8;

/** Id of a backend that has none of its own: always the same for the same place, however often it comes and goes. */
export function discoveredId(pool: string, host: string, port: number): string {
  const id = `${pool}-${host.replace(/[^A-Za-z0-9-]/g, '-')}-${port}`;
  if (id.length <= LENGTH_MAX) return id;
  const hash = hashOf(id).toString(16).padStart(HASH_DIGITS, '0');
  return `${id.slice(0, LENGTH_MAX - HASH_DIGITS - 1)}-${hash}`;
}
