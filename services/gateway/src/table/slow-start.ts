import { warmth } from '@usher/domain';
import type { BackendSlot, PoolTable } from '../routing-table.ts';

/**
 * Sets the weights of a pool's backends to what their slow starts have come to. A slow start begins when a backend is
 * admitted, by the log and by this worker's breaker. When a gateway starts, all begin theirs together, which leaves their
 * shares as they are; a backend that is only a last resort has none.
 */
export function setWeights(pool: PoolTable, isAdmitted: (slot: BackendSlot) => boolean, nowMs: number): void {
  const { slowStartMs = 0 } = pool.settings;
  pool.warming = false;
  for (const slot of pool.slots) {
    slot.weight = slot.fullWeight;
    if (slowStartMs === 0 || !isAdmitted(slot)) {
      slot.admittedMs = 0;
      continue;
    }
    // Admitted in the future: the clock was set back.
    if (slot.admittedMs === 0 || slot.admittedMs > nowMs) slot.admittedMs = nowMs;
    const part = warmth(nowMs - slot.admittedMs, slowStartMs);
    slot.weight = slot.fullWeight * part;
    if (part < 1) pool.warming = true;
  }
}
