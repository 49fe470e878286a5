import { createHash } from 'node:crypto';
import { canonicalJson, type FleetState } from '@usher/domain';

/** SHA-256 in hex over the canonical JSON of a state. */
export function digestOf(state: FleetState): string {
  return createHash('sha256').update(canonicalJson(state)).digest('hex');
}
