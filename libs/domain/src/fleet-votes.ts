import type { BackendState } from './backend.ts';
import type { FleetState } from './fleet.ts';

/** A gateway that reported traffic to a backend this recently has a vote on its breaker. */
const VOTE_AGE_MAX_MS = 30_000;
/** From this many failing backends on, a gateway may be what fails. */
const FAILING_BACKENDS_MIN = 3;

/**
 * What a gateway's votes are worth. `failing`: it fails against most of what it uses, and no other gateway says the same of
 * most of that; its votes do not count. `suspect`: moreover others get on well with most of that, so the fault is likely
 * its own.
 */
export type Trust = 'trusted' | 'failing' | 'suspect';

export interface Standing {
  readonly gateway: string;
  /** Backends that it reported traffic to, and those of them for which its own breaker is open. */
  readonly used: number;
  readonly tripped: number;
  readonly trust: Trust;
}

/** How the gateways vote on one backend. */
export interface Ballot {
  /** Whose own breaker is open. */
  readonly for: readonly string[];
  readonly against: readonly string[];
  /** `silent`: it has not reported traffic to it lately. */
  readonly uncounted: readonly {
    readonly gateway: string;
    readonly why: Exclude<Trust, 'trusted'> | 'silent';
  }[];
}

/** Sums over the backends that a gateway uses. */
interface Tally {
  used: number;
  tripped: number;
  /** Of those, for which another gateway has tripped too, and with which another gets on well. */
  agreed: number;
  contradicted: number;
}

/** What each running gateway's votes are worth now. */
export function standingsOf(state: FleetState, nowMs: number): Map<string, Standing> {
  const tallies = new Map<string, Tally>();
  for (const gateway of runningIn(state))
    tallies.set(gateway, { used: 0, tripped: 0, agreed: 0, contradicted: 0 });
  for (const backend of state.backends.values()) addViews(backend, tallies, nowMs);
  const alone = tallies.size < 2;
  return new Map(
    Array.from(tallies, ([gateway, tally]) => {
      const { used, tripped } = tally;
      return [gateway, { gateway, used, tripped, trust: alone ? 'trusted' : trustIn(tally) }] as const;
    }),
  );
}

function addViews(backend: BackendState, tallies: ReadonlyMap<string, Tally>, nowMs: number): void {
  const tripped: Tally[] = [];
  let well = 0;
  for (const [gateway] of backend.seenBy) {
    const tally = tallies.get(gateway);
    if (tally === undefined) continue;
    tally.used += 1;
    if (hasTripped(backend, gateway, nowMs)) tripped.push(tally);
    else if (isSeen(backend, gateway, nowMs)) well += 1;
  }
  for (const tally of tripped) {
    tally.tripped += 1;
    if (tripped.length > 1) tally.agreed += 1;
    if (well > 0) tally.contradicted += 1;
  }
}

function trustIn({ used, tripped, agreed, contradicted }: Tally): Trust {
  const fails = used >= FAILING_BACKENDS_MIN && tripped > used / 2;
  if (!fails || agreed > tripped / 2) return 'trusted';
  return contradicted > tripped / 2 ? 'suspect' : 'failing';
}

/** The votes on one backend's breaker, each list by name. */
export function ballotOn(
  state: FleetState,
  backend: BackendState,
  standings: ReadonlyMap<string, Standing>,
  nowMs: number,
): Ballot {
  const pro: string[] = [];
  const against: string[] = [];
  const uncounted: Ballot['uncounted'][number][] = [];
  for (const gateway of runningIn(state).toSorted()) {
    const trust = standings.get(gateway)?.trust ?? 'trusted';
    if (!isSeen(backend, gateway, nowMs)) uncounted.push({ gateway, why: 'silent' });
    else if (trust !== 'trusted') uncounted.push({ gateway, why: trust });
    else if (hasTripped(backend, gateway, nowMs)) pro.push(gateway);
    else against.push(gateway);
  }
  return { for: pro, against, uncounted };
}

/** Whether the breaker should be open for all: most of those that have a vote say so. */
export function hasQuorum({ for: pro, against }: Ballot): boolean {
  return pro.length > against.length;
}

function runningIn({ gateways }: FleetState): string[] {
  return [...gateways].filter(([, { running }]) => running).map(([name]) => name);
}

function isSeen(backend: BackendState, gateway: string, nowMs: number): boolean {
  return (backend.seenBy.get(gateway) ?? Number.NEGATIVE_INFINITY) >= nowMs - VOTE_AGE_MAX_MS;
}

function hasTripped(backend: BackendState, gateway: string, nowMs: number): boolean {
  return (backend.trippedBy.get(gateway) ?? 0) > nowMs;
}
