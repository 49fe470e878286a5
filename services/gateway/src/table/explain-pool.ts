import {
  type CandidateReason,
  type ExplainedBackend,
  type Explanation,
  explainChoice,
  FastRandom,
  type Features,
  type Fit,
  lacking,
  type Measures,
  NO_FACTS,
  peek,
  type Shortage,
} from '@usher/domain';
import type { BackendSlot, Endpoint, PoolTable } from '../routing-table.ts';
import { visitOf } from '../sticky/sticky.ts';
import { endpointFor } from './endpoints.ts';
import { isFull } from './limits.ts';
import { NO_QUEUE } from './line-wait.ts';
import { isSecondary, preferenceOf, whyNobody } from './pool-table.ts';
import { ranked } from './ranked.ts';

export type ExplainedPool = Pick<Explanation, 'session' | 'among' | 'candidates' | 'outcome' | 'detail'> & {
  /** Where the request would go. */
  readonly choice: BackendSlot | undefined;
};

/** What would become of a request's first attempt in `pool` now: whom it would be begun on, whom not, and why. Nothing changes by it. */
export function explainPool(
  pool: PoolTable,
  features: Features,
  request: { readonly path: string },
  random: FastRandom,
): ExplainedPool {
  const full = pool.reserves ? [] : pool.eligible.filter(isFull);
  const { choice, measures, unfit } = explainChoice(pool, full, features, random);
  const seat = visitOf(features)?.seen().slot;
  const taken = pool.reserves ? reservedOn(pool, features, random) : (seat ?? choice);
  const outcome = outcomeOf(pool, taken);
  const slots = pool.declared ? pool.slots : [];
  return {
    choice: outcome === 'backend' ? taken : undefined,
    outcome,
    detail: whyNobody(pool),
    session: sessionOf(pool, features),
    among: preferenceOf(pool),
    candidates: slots.map((slot) => {
      const against = reasonOf(slot, features, unfit.get(slot));
      return explainSlot(slot, request, measures.get(slot) ?? {}, against);
    }),
  };
}

/** Of those that come into question for a reservation, best first, the one that it is made on, by what is known here. */
export function firstWithRoom(
  pool: PoolTable,
  features: Features,
  others: readonly BackendSlot[],
): BackendSlot | undefined {
  const seat = visitOf(features)?.seen().slot;
  // What the session has reserved is there for all of its requests.
  if (seat !== undefined && pool.settings.reserve === 'session') return seat;
  const order = seat === undefined ? others : [seat, ...others];
  return order.find((slot) => hasRoomFor(slot, features));
}

function sessionOf({ settings }: PoolTable, features: Features): Explanation['session'] {
  const visit = visitOf(features);
  if (visit === undefined || settings.sticky === undefined) return null;
  const { by } = settings.sticky;
  const { backend, slot } = visit.seen();
  if (backend === undefined) return { by, verdict: by === 'cookie' ? 'begins' : 'asks', backend: null };
  return { by, verdict: slot?.id === backend ? 'stays' : 'leaves', backend };
}

/** Whether what the request's tier needs can be reserved on a backend, by what is known here. */
function hasRoomFor(slot: BackendSlot, features: Features): boolean {
  return !isFull(slot) && shortOf(slot, features) === undefined;
}

function reservedOn(pool: PoolTable, features: Features, random: FastRandom): BackendSlot | undefined {
  const ask = { ...features, random: FastRandom.from(random.seed) };
  return firstWithRoom(pool, features, ranked(pool, [], ask, peek));
}

/** A request that finds others waiting waits too, even if there is room: it is theirs. */
function outcomeOf(pool: PoolTable, choice: BackendSlot | undefined): ExplainedPool['outcome'] {
  const { line, eligible, settings, reserves } = pool;
  const { max } = settings.queue ?? NO_QUEUE;
  if (choice !== undefined && (reserves || line?.busy !== true)) return 'backend';
  if (eligible.length === 0) return 'no_backend';
  if (reserves) return max > 0 ? 'waits' : 'no_capacity';
  if (line === undefined) return 'no_capacity';
  return line.hasPlace(max) ? 'waits' : 'overloaded';
}

/** What speaks against a slot. */
interface Against {
  readonly reason: CandidateReason;
  readonly short?: Shortage | undefined;
}

function explainSlot(
  slot: BackendSlot,
  request: { readonly path: string },
  measures: Measures,
  { reason, short }: Against,
): ExplainedBackend {
  const { id, weight, inFlight, own, limit } = slot;
  return {
    backend: id,
    url: urlOf(endpointFor(slot, request)),
    reason,
    ...(short === undefined ? {} : { short }),
    weight,
    inFlight,
    own,
    ...(limit === undefined ? {} : { maxConnections: limit.max }),
    measures,
  };
}

/** Where it is, as it was declared. */
export function urlOf({ tls, authority }: Endpoint): string {
  return `${tls === undefined ? 'http' : 'https'}://${authority}`;
}

function reasonOf(slot: BackendSlot, features: Features, unfit: Fit | undefined): Against {
  if (slot.open) {
    if (isFull(slot)) return { reason: 'max_connections' };
    // Whoever reserves goes by more than the strategy does.
    if (!slot.pool.reserves) return unfit ?? { reason: 'ok' };
    const short = shortOf(slot, features);
    return short === undefined ? { reason: 'ok' } : (unfit ?? { reason: 'reserved', short });
  }
  if (isSecondary(slot)) return { reason: 'priority' };
  if (slot.barred !== 'ok') return { reason: slot.barred };
  if (!(slot.fullWeight > 0)) return { reason: 'weight' };
  if (slot.endpoints.some(({ addresses }) => addresses.all.length === 0)) return { reason: 'no_address' };
  if (slot.ejected) return { reason: 'ejected' };
  return { reason: slot.breaker.phase === 'half_open' ? 'breaker_trials' : 'breaker_tripped' };
}

/** What reservations leave too little of for the request's tier. */
function shortOf({ facts, pool }: BackendSlot, { tier }: Features): Shortage | undefined {
  const wanted = pool.settings.tiers?.[tier];
  if (wanted === undefined) return undefined;
  return lacking(facts ?? NO_FACTS, wanted);
}
