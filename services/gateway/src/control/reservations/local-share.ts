import { DIMENSIONS, NO_RESOURCES, plusResources, type Resources, type Tier } from '@usher/domain';

/** Who shares a backend: all gateways that run, each by its name. */
export interface Sharers {
  readonly gateways: readonly string[];
  readonly me: string;
}

/**
 * What one gateway may reserve of what is free, so that all of them together never reserve more than that: an equal part of
 * each dimension in whole units of the smallest amount that any tier asks for, as less would be of no use. What does not
 * divide goes to the first by name. One gateway alone gets everything.
 */
export function shareOf(free: Resources, { gateways, me }: Sharers, tiers: readonly Tier[]): Resources {
  const others = gateways.filter((gateway) => gateway !== me);
  const before = others.filter((gateway) => gateway < me).length;
  const count = others.length + 1;
  if (count === 1) return free;
  const share = { ...NO_RESOURCES };
  for (const dimension of DIMENSIONS) {
    const asked = tiers.map(({ resources }) => resources[dimension]).filter((amount) => amount > 0);
    const unit = asked.length === 0 ? 1 : Math.min(...asked);
    const units = Math.floor(Math.max(0, free[dimension]) / unit);
    share[dimension] = unit * (Math.floor(units / count) + (before < units % count ? 1 : 0));
  }
  return share;
}

/** What is known of a backend when something is to be reserved of it without the store. */
export interface Seen {
  /** What reservations may fill of it. */
  readonly capacity: Resources;
  /** What was declared of that; the rest is by its reports, each of which may say something else. */
  readonly declared: Resources | undefined;
  /** What this gateway holds of it. */
  readonly mine: Resources;
  /** What the others hold by the log. */
  readonly others: Resources;
}

interface Quota {
  readonly basis: string;
  /** The most that this gateway may hold. */
  readonly most: Resources;
}

/**
 * What a gateway may reserve by itself for as long as the store is away. How much it may hold of a backend is settled once,
 * by what was held when the store went away: were it settled again after each reservation, gateways that cannot hear each
 * other would each take parts of what the others have taken. Only other gateways or another declaration settle it anew.
 */
export class LocalShare {
  /** What was held of each backend when the store went away. */
  #start: ReadonlyMap<string, Pick<Seen, 'mine' | 'others'>> | undefined;
  readonly #quotas = new Map<string, Quota>();

  /** The store is away, if it was not before. */
  begin(start: () => ReadonlyMap<string, Pick<Seen, 'mine' | 'others'>>): void {
    this.#start ??= start();
  }

  /** Undefined when the gateway may reserve it, else what is missing. */
  lacking(backend: string, seen: Seen, tier: Tier, sharers: Sharers, tiers: readonly Tier[]) {
    const most = this.#quotaOf(backend, seen, sharers, tiers);
    const wanted = plusResources(seen.mine, tier.resources, 1);
    const known = plusResources(wanted, seen.others, 1);
    return DIMENSIONS.find(
      (each) => tier.resources[each] > 0 && (wanted[each] > most[each] || known[each] > seen.capacity[each]),
    );
  }

  /** The store is back. */
  end(): void {
    this.#start = undefined;
    this.#quotas.clear();
  }

  #quotaOf(backend: string, seen: Seen, sharers: Sharers, tiers: readonly Tier[]): Resources {
    const { capacity, declared } = seen;
    const basis = JSON.stringify([sharers.gateways.toSorted(), declared]);
    const known = this.#quotas.get(backend);
    if (known?.basis === basis) return known.most;
    const { mine, others } = (known === undefined && this.#start?.get(backend)) || seen;
    const free = plusResources(plusResources(capacity, mine, -1), others, -1);
    const most = plusResources(mine, shareOf(free, sharers, tiers), 1);
    this.#quotas.set(backend, { basis, most });
    return most;
  }
}
