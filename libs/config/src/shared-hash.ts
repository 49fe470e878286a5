import { createHash } from 'node:crypto';
import type { SharedSettings } from '@usher/domain';

/** SHA-256 in hexadecimal over the canonical JSON of shared settings: keys sorted, absent values left out. */
export function sharedHash(shared: SharedSettings): string {
  return createHash('sha256').update(canonicalJson(shared)).digest('hex');
}

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}
