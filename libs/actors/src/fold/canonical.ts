import { createHash } from 'node:crypto';
import type { FleetState } from '@usher/domain';

/**
 * A value in a form that equal states share byte for byte: object keys and map keys in code point order, sets as sorted
 * arrays, undefined left out. Maps become objects.
 */
function canonical(value: unknown): unknown {
  if (value instanceof Map) {
    return Object.fromEntries([...value].toSorted(byKey).map(([key, inner]) => [key, canonical(inner)]));
  }
  if (value instanceof Set) return [...value].toSorted();
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
    return Object.fromEntries(entries.toSorted(byKey).map(([key, inner]) => [key, canonical(inner)]));
  }
  return value;
}

function byKey([a]: [unknown, unknown], [b]: [unknown, unknown]): number {
  return String(a) < String(b) ? -1 : 1;
}

/** SHA-256 in hex over the canonical JSON of a state. */
export function digestOf(state: FleetState): string {
  return createHash('sha256')
    .update(JSON.stringify(canonical(state)))
    .digest('hex');
}
