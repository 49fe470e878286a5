import {
  type CandidateReason,
  type ExplainedBackend,
  type Explanation,
  explainChoice,
  type FastRandom,
  type Measures,
} from '@usher/domain';
import type { BackendSlot, PoolTable } from '../routing-table.ts';
import { isFull } from './limits.ts';
import { preferenceOf } from './pool-table.ts';
import { NO_QUEUE } from './wait.ts';

export type ExplainedPool = Pick<Explanation, 'among' | 'candidates' | 'outcome'> & {
  /** Where the request would go. */
  readonly choice: BackendSlot | undefined;
};

/** What would become of a first attempt in `pool` now: whom it would be begun on, whom not, and why. Nothing changes by it. */
export function explainPool(pool: PoolTable, key: number, random: FastRandom): ExplainedPool {
  const { choice, measures } = explainChoice(pool, pool.eligible.filter(isFull), key, random);
  const outcome = outcomeOf(pool, choice);
  return {
    choice: outcome === 'backend' ? choice : undefined,
    outcome,
    among: preferenceOf(pool),
    candidates: pool.slots.map((slot) => explainSlot(slot, measures.get(slot) ?? {})),
  };
}

/** A request that finds others waiting waits too, even if there is room: it is theirs. */
function outcomeOf({ line, eligible, settings }: PoolTable, choice: BackendSlot | undefined) {
  if (choice !== undefined && line?.busy !== true) return 'backend';
  if (line === undefined || eligible.length === 0) return 'no_backend';
  return line.hasPlace((settings.queue ?? NO_QUEUE).max) ? 'waits' : 'overloaded';
}

function explainSlot(slot: BackendSlot, measures: Measures): ExplainedBackend {
  const { id, weight, inFlight, limit } = slot;
  return {
    backend: id,
    url: urlOf(slot),
    reason: reasonOf(slot),
    weight,
    inFlight,
    ...(limit === undefined ? {} : { maxConnections: limit.max }),
    measures,
  };
}

/** Where it is, as it was declared. */
export function urlOf({ tls, authority }: BackendSlot): string {
  return `${tls === undefined ? 'http' : 'https'}://${authority}`;
}

function reasonOf(slot: BackendSlot): CandidateReason {
  if (slot.open) return isFull(slot) ? 'max_connections' : 'ok';
  if (slot.barred !== 'ok') return slot.barred;
  if (!(slot.fullWeight > 0)) return 'weight';
  if (slot.addresses.all.length === 0) return 'no_address';
  return slot.breaker.phase === 'half_open' ? 'breaker_trials' : 'breaker_tripped';
}
