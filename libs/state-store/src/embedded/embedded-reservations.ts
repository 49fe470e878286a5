import {
  DIMENSIONS,
  type Dimension,
  NO_RESOURCES,
  plusResources,
  type Resources,
  type StoreStep,
} from '@usher/domain';
import type {
  Clock,
  GivenBack,
  HeldAllocation,
  PoolReservations,
  RenewRequest,
  RenewResult,
  ReservationCandidate,
  ReservationRequest,
  ReservationResult,
  Reservations,
  RestoreRequest,
  RestoreResult,
  Session,
} from '@usher/ports';
import { ROUNDS_IN_NEED, SWEPT_A_ROUND, SWEPT_IN_PASSING } from '../sweep-limits.ts';

/** Reservations of a single process, by the same rules as the scripts on Redis. */
export class EmbeddedReservations implements Reservations {
  readonly #clock: Clock;
  readonly #pools = new Map<string, Pool>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async reserve(request: ReservationRequest): Promise<ReservationResult> {
    const pool = this.#pools.get(request.pool);
    if (pool === undefined) return { outcome: 'unknown' };
    const result = pool.reserve(request, this.#clock.steady());
    return result.outcome === 'reserved' ? this.#dated(result) : result;
  }

  async release(pool: string, owner: string, allocations: readonly string[]): Promise<readonly GivenBack[]> {
    return this.#pools.get(pool)?.release(owner, allocations) ?? [];
  }

  async renew(request: RenewRequest): Promise<RenewResult> {
    return this.#pools.get(request.pool)?.renew(request, this.#clock.steady()) ?? { outcome: 'unknown' };
  }

  async restore(request: RestoreRequest): Promise<RestoreResult> {
    const nowMs = this.#clock.steady();
    let pool = this.#pools.get(request.pool);
    if (pool === undefined) {
      pool = new Pool(this.#clock.now(), nowMs + request.leaseMs);
      this.#pools.set(request.pool, pool);
    }
    return pool.restore(request, nowMs);
  }

  async sweep(pool: string, max: number): Promise<readonly GivenBack[]> {
    return this.#pools.get(pool)?.sweep(this.#clock.steady(), max) ?? [];
  }

  async list(pool: string): Promise<PoolReservations> {
    const { allocations, used } = this.#pools.get(pool)?.list() ?? { allocations: [], used: new Map() };
    return { allocations: allocations.map((held) => this.#dated(held)), used };
  }

  /** Pools reckon with the steady clock: nothing expires sooner or later because the wall clock was set. */
  #dated<T extends { readonly expiresAtMs: number }>(held: T): T {
    return { ...held, expiresAtMs: held.expiresAtMs - this.#clock.steady() + this.#clock.now() };
  }
}

interface Use {
  readonly resources: Resources;
  readonly allocations: number;
}

/** What is held, with the step in which it became its owner's. */
interface Held extends HeldAllocation {
  readonly at: StoreStep;
}

class Pool {
  readonly #run: number;
  #step = 0;
  #opensAtMs: number;
  /** Gateways that have told what they hold and whose leases were not swept since, with the name of the last time. */
  readonly #restored = new Map<string, string>();
  readonly #held = new Map<string, Held>();
  readonly #used = new Map<string, Use>();
  /** Until when each gateway is taken to be alive. */
  readonly #leases = new Map<string, number>();
  readonly #sessions = new Map<string, string>();
  /** No allocation's own time is over before. */
  #nothingDueBeforeMs = Number.POSITIVE_INFINITY;

  constructor(run: number, opensAtMs: number) {
    this.#run = run;
    this.#opensAtMs = opensAtMs;
  }

  reserve(request: ReservationRequest, nowMs: number): ReservationResult {
    const { allocation, owner, told, leaseMs, ttlMs, resources, candidates, session } = request;
    if (this.#restored.get(owner) !== told) return { outcome: 'unknown' };
    if (this.#opensAtMs > nowMs) return { outcome: 'restoring', opensInMs: this.#opensAtMs - nowMs };
    this.#leases.set(owner, Math.max(this.#leases.get(owner) ?? 0, nowMs + leaseMs));
    const expiresAtMs = nowMs + ttlMs;
    const same = this.#held.get(allocation);
    if (same !== undefined) return this.#keep(same, owner, expiresAtMs);
    const earlier = session && this.#held.get(this.#sessions.get(sessionKey(session)) ?? '');
    if (earlier !== undefined && candidates.some(({ backend }) => backend === earlier.backend))
      return this.#keep(earlier, owner, expiresAtMs);
    const expired = this.sweep(nowMs, SWEPT_IN_PASSING);
    let placed = this.#place(resources, candidates);
    for (let round = 0; typeof placed !== 'string' && round < ROUNDS_IN_NEED; round++) {
      const more = this.sweep(nowMs, SWEPT_A_ROUND);
      if (more.length === 0) break;
      expired.push(...more);
      placed = this.#place(resources, candidates);
    }
    if (typeof placed !== 'string') return { outcome: 'full', short: placed, expired };
    const movedFrom = earlier && this.#giveBack(earlier.allocation);
    const held = { allocation, backend: placed, owner, resources, expiresAtMs, session };
    const at = this.#hold(held);
    return { outcome: 'reserved', ...held, at, known: false, movedFrom, expired };
  }

  release(owner: string, allocations: readonly string[]): GivenBack[] {
    const mine = allocations.filter((allocation) => this.#held.get(allocation)?.owner === owner);
    return mine.flatMap((allocation) => this.#giveBack(allocation) ?? []);
  }

  /** Undefined when it is not there; so whoever asks first gives back, and nobody after. */
  #giveBack(allocation: string): GivenBack | undefined {
    const held = this.#held.get(allocation);
    if (held === undefined) return undefined;
    const { backend, resources, session } = held;
    this.#held.delete(allocation);
    if (session !== undefined && this.#sessions.get(sessionKey(session)) === allocation)
      this.#sessions.delete(sessionKey(session));
    this.#count(backend, resources, -1);
    return { allocation, backend, at: this.#nextStep() };
  }

  renew({ owner, told, leaseMs, allocations, ttlMs }: RenewRequest, nowMs: number): RenewResult {
    if (this.#restored.get(owner) !== told) return { outcome: 'unknown' };
    this.#leases.set(owner, nowMs + leaseMs);
    const missing: string[] = [];
    for (const allocation of allocations) {
      const held = this.#held.get(allocation);
      if (held === undefined) missing.push(allocation);
      else if (held.expiresAtMs < nowMs + ttlMs)
        this.#held.set(allocation, { ...held, expiresAtMs: nowMs + ttlMs });
    }
    return { outcome: 'renewed', missing };
  }

  restore(request: RestoreRequest, nowMs: number): RestoreResult {
    const { owner, told, after, leaseMs, allocations, underWay, gateways } = request;
    const last = this.#restored.get(owner);
    if (last !== undefined && last !== after) return { outcome: 'late', told: last };
    this.#leases.set(owner, nowMs + leaseMs);
    const wanted = new Set([...underWay, ...allocations.map(({ allocation }) => allocation)]);
    const givenBack: GivenBack[] = [];
    for (const held of this.#ownedBy(owner)) {
      const given = wanted.has(held.allocation) ? undefined : this.#giveBack(held.allocation);
      if (given !== undefined) givenBack.push(given);
    }
    const missing = allocations.filter(({ allocation }) => !this.#held.has(allocation));
    const added = missing.map(({ ttlMs, ...one }) => ({
      allocation: one.allocation,
      at: this.#hold({ ...one, owner, expiresAtMs: nowMs + ttlMs }),
    }));
    this.#restored.set(owner, told);
    if (gateways.every((gateway) => this.#restored.has(gateway)))
      this.#opensAtMs = Math.min(this.#opensAtMs, nowMs);
    return { outcome: 'restored', opensInMs: Math.max(0, this.#opensAtMs - nowMs), givenBack, added };
  }

  /** First those whose own time is over, longest ago first, then those of gateways whose lease is, by id. */
  sweep(nowMs: number, max: number): GivenBack[] {
    const given: GivenBack[] = [];
    const take = (due: readonly HeldAllocation[]): void => {
      for (const { allocation } of due.slice(0, max - given.length)) given.push(this.#giveBack(allocation)!);
    };
    if (this.#nothingDueBeforeMs <= nowMs) take(this.#overdue(nowMs));
    const lapsed = [...this.#leases].filter(([, untilMs]) => untilMs <= nowMs);
    for (const [owner] of lapsed.toSorted(([a, aMs], [b, bMs]) => aMs - bMs || (a < b ? -1 : 1))) {
      if (given.length >= max) break;
      this.#restored.delete(owner);
      take(this.#ownedBy(owner));
      if (given.length < max) this.#leases.delete(owner);
    }
    return given;
  }

  list(): PoolReservations {
    return { allocations: [...this.#held.values()], used: new Map(this.#used) };
  }

  #keep(held: Held, owner: string, expiresAtMs: number): ReservationResult {
    const kept = {
      ...held,
      owner,
      expiresAtMs: Math.max(held.expiresAtMs, expiresAtMs),
      at: held.owner === owner ? held.at : this.#nextStep(),
    };
    this.#held.set(held.allocation, kept);
    return { outcome: 'reserved', ...kept, known: true, expired: [] };
  }

  #nextStep(): StoreStep {
    this.#step += 1;
    return { run: this.#run, step: this.#step };
  }

  /** The first candidate with room, or of what each has too little. */
  #place(
    resources: Resources,
    candidates: readonly ReservationCandidate[],
  ): string | readonly (Dimension | 'max')[] {
    const short: (Dimension | 'max')[] = [];
    for (const { backend, capacity, max } of candidates) {
      const used = this.#used.get(backend) ?? UNUSED;
      const lacking = DIMENSIONS.find(
        (each) => resources[each] > 0 && used.resources[each] + resources[each] > capacity[each],
      );
      if (lacking === undefined && (max === 0 || used.allocations < max)) return backend;
      short.push(lacking ?? 'max');
    }
    return short;
  }

  #hold(held: HeldAllocation): StoreStep {
    const { allocation, session } = held;
    const at = this.#nextStep();
    this.#held.set(allocation, { ...held, at });
    if (session !== undefined && !this.#sessions.has(sessionKey(session)))
      this.#sessions.set(sessionKey(session), allocation);
    this.#count(held.backend, held.resources, 1);
    this.#nothingDueBeforeMs = Math.min(this.#nothingDueBeforeMs, held.expiresAtMs);
    return at;
  }

  #count(backend: string, resources: Resources, sign: 1 | -1): void {
    const used = this.#used.get(backend) ?? UNUSED;
    const allocations = used.allocations + sign;
    if (allocations === 0) this.#used.delete(backend);
    else this.#used.set(backend, { resources: plusResources(used.resources, resources, sign), allocations });
  }

  #overdue(nowMs: number): readonly HeldAllocation[] {
    const due: HeldAllocation[] = [];
    let nextMs = Number.POSITIVE_INFINITY;
    for (const held of this.#held.values()) {
      if (held.expiresAtMs <= nowMs) due.push(held);
      nextMs = Math.min(nextMs, held.expiresAtMs);
    }
    this.#nothingDueBeforeMs = nextMs;
    return due.toSorted((a, b) => a.expiresAtMs - b.expiresAtMs || (a.allocation < b.allocation ? -1 : 1));
  }

  #ownedBy(owner: string): readonly HeldAllocation[] {
    const owned = [...this.#held.values()].filter((held) => held.owner === owner);
    return owned.toSorted((a, b) => (a.allocation < b.allocation ? -1 : 1));
  }
}

const UNUSED: Use = { resources: NO_RESOURCES, allocations: 0 };

function sessionKey({ id, tier }: Session): string {
  return `${tier} ${id}`;
}
