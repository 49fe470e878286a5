import type { Resources } from '@usher/domain';
import type { ReservationResult } from '@usher/ports';
import type { ReserveResult } from '../../worker/protocol.ts';
import type { Ask } from './ask.ts';
import type { Grant } from './counts.ts';
import { beginUse, type Held } from './held-allocations.ts';
import { LocalShare } from './local-share.ts';
import type { PoolHoldings, PoolOptions } from './pool-holdings.ts';
import { LEASE_MS } from './store-link.ts';

/** A candidate, with what reservations may fill of it. */
interface Place {
  readonly backend: string;
  readonly capacity: Resources;
  readonly max: number;
}

/** The answer to those who are gone. */
const NOT_HEARD: ReserveResult = { outcome: 'closed', why: 'unknown' };

/** Reserves for requests of one pool: by the store, or as the pool wants it while the store is away. */
export class PoolReserver {
  readonly #options: PoolOptions;
  readonly #holdings: PoolHoldings;
  readonly #share = new LocalShare();

  constructor(options: PoolOptions, holdings: PoolHoldings) {
    this.#options = options;
    this.#holdings = holdings;
  }

  /** The store is away, or is not any more. */
  onLink(): void {
    const { pool, backends } = this.#options;
    const { held, link } = this.#holdings;
    if (link.state === 'open') this.#share.end();
    else
      this.#share.begin(
        () =>
          new Map(
            backends
              .of(pool)
              .map((id) => [id, { mine: held.reservedOn(id), others: backends.reservedByOthers(id) }]),
          ),
      );
  }

  /** Never waits longer than the store takes to answer or to fail twice, and not at all while it is away. */
  async attempt(ask: Ask): Promise<ReserveResult> {
    const { link } = this.#holdings;
    await link.ready();
    const places = this.#placesOf(ask);
    const result = link.state === 'open' ? await this.#reserve(ask, places) : undefined;
    return result ?? this.#withoutStore(ask, places);
  }

  async #reserve(ask: Ask, candidates: readonly Place[]): Promise<ReserveResult | undefined> {
    const { pool, owner, random } = this.#options;
    const { link, underWay } = this.#holdings;
    void this.#holdings.giveBackNow();
    const allocation = random.uuid();
    const { tier, session } = ask;
    const ttlMs = this.#holdings.ttlMs(session);
    const { resources } = tier;
    const wanted = { pool, owner, allocation, leaseMs: LEASE_MS, ttlMs, resources, candidates, session };
    const reserve = () => link.call((store) => store.reserve({ ...wanted, told: link.told }));
    underWay.add(allocation);
    try {
      const answer = await reserve();
      if (answer?.outcome !== 'unknown') return this.#onAnswer(ask, candidates, answer);
      await link.tell();
      if (link.state !== 'open') return undefined;
      return this.#onAnswer(ask, candidates, await reserve());
    } finally {
      // If there was no answer it may be there. The store is told soon what is held here, and this is not.
      underWay.delete(allocation);
    }
  }

  #onAnswer(
    ask: Ask,
    candidates: readonly Place[],
    answer: ReservationResult | undefined,
  ): ReserveResult | undefined {
    if (answer?.outcome === 'restoring') this.#holdings.link.waitForOthers();
    if (answer === undefined || answer.outcome === 'unknown' || answer.outcome === 'restoring')
      return undefined;
    this.#holdings.expired(answer.expired);
    if (answer.outcome === 'full') {
      const lacking = candidates.map(({ backend }, index) => [backend, answer.short[index]!] as const);
      return { outcome: 'full', short: Object.fromEntries(lacking) };
    }
    const { allocation, backend, resources, at, known, movedFrom } = answer;
    if (movedFrom !== undefined) this.#holdings.moved(movedFrom);
    const before = this.#holdings.held.get(allocation);
    if (before?.at?.run === at.run && before.at.step === at.step) {
      before.extendedMs = this.#options.clock.steady();
      return this.#use(ask, before, 'store');
    }
    const capacity = known ? undefined : candidates.find((each) => each.backend === backend)?.capacity;
    const placed = { allocation, backend, resources, capacity, at, uses: before?.uses ?? new Map() };
    return this.#use(ask, this.#holdings.hold(ask, placed, { again: known, restored: false }), 'store');
  }

  #withoutStore(ask: Ask, places: readonly Place[]): ReserveResult {
    const mode = this.#options.settings()?.reserveWithoutStore ?? 'local_share';
    if (mode === 'local_share') return this.#reserveHere(ask, places);
    if (mode === 'closed') {
      const why = this.#holdings.link.state === 'away' ? 'store_away' : 'restoring';
      return { outcome: 'closed', why };
    }
    const [first] = places;
    if (first === undefined) return { outcome: 'full', short: {} };
    this.#holdings.counts.grants.open += 1;
    return { outcome: 'granted', allocation: this.#options.random.uuid(), backend: first.backend };
  }

  /** Reserves within this gateway's share. */
  #reserveHere(ask: Ask, places: readonly Place[]): ReserveResult {
    const { random } = this.#options;
    const { held, link } = this.#holdings;
    const earlier = ask.session === undefined ? undefined : held.ofSession(ask.session);
    if (earlier !== undefined && places.some(({ backend }) => backend === earlier.backend))
      return this.#use(ask, earlier, 'local_share');
    const short: Record<string, keyof Resources> = {};
    for (const { backend, capacity } of places) {
      const lacking = this.#lackingHere(ask, backend, capacity);
      if (lacking !== undefined) {
        short[backend] = lacking;
        continue;
      }
      const { resources } = ask.tier;
      const placed = {
        allocation: random.uuid(),
        backend,
        resources,
        capacity,
        at: undefined,
        uses: new Map(),
      };
      const taken = this.#holdings.hold(ask, placed, { again: false, restored: false });
      // A store that waits for others can be told at once.
      if (link.state !== 'away') void link.tell();
      return this.#use(ask, taken, 'local_share');
    }
    return { outcome: 'full', short };
  }

  #lackingHere({ tier }: Ask, backend: string, capacity: Resources) {
    const { backends, owner } = this.#options;
    const seen = {
      capacity,
      declared: backends.declared(backend),
      mine: this.#holdings.held.reservedOn(backend),
      others: backends.reservedByOthers(backend),
    };
    const sharers = { gateways: backends.gateways(), me: owner };
    return this.#share.lacking(backend, seen, tier, sharers, this.#options.settings()?.tiers ?? []);
  }

  #use(ask: Ask, held: Held, how: Grant): ReserveResult {
    if (ask.over) {
      if (held.uses.size === 0 && held.session === undefined)
        this.#holdings.end(held, 'nobody waited for it');
      return NOT_HEARD;
    }
    beginUse(held, ask.worker, this.#options.clock.steady());
    this.#holdings.counts.grants[how] += 1;
    return { outcome: 'granted', allocation: held.allocation, backend: held.backend };
  }

  #placesOf({ candidates, tier }: Ask): Place[] {
    const { pool, backends } = this.#options;
    return candidates.flatMap((backend) => {
      const capacity = backends.capacity(pool, backend, tier);
      return capacity === undefined ? [] : [{ backend, capacity, max: 0 }];
    });
  }
}
