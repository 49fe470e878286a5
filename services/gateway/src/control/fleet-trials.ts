import type { BackendState, FleetState } from '@usher/domain';

/** Who reported traffic to the pool within this time before whoever did last is likely to get the next request too. */
const BUSY_MS = 10_000;

/** Of which gateway, and in how many parts. */
export interface TrialShares {
  readonly gateway: string;
  readonly workers: number;
  /** Of the whole fleet. */
  readonly trials: number;
}

/**
 * Each worker's part of the trials of the fleet's half-open breaker, of which there are no more than `trials` in all gateways
 * together. Gateways with traffic come before those without, and with each round that ends without a verdict another one
 * comes first, and in it another worker: whoever has the trials may see no request for this backend. All gateways see the same
 * state here, so that their parts add up.
 */
export function fleetTrials(
  { gateways, pools }: Pick<FleetState, 'gateways' | 'pools'>,
  { settings, trialRound }: Pick<BackendState, 'settings' | 'trialRound'>,
  { gateway, workers, trials }: TrialShares,
): number[] {
  const seenBy = pools.get(settings.pool)?.seenBy ?? new Map<string, number>();
  const running = [...gateways].filter(([, each]) => each.running).map(([name]) => name);
  if (running.length === 0) return turned(shares(trials, workers), trialRound);
  const seen = (name: string): number => seenBy.get(name) ?? 0;
  const busyMs = Math.max(...running.map(seen)) - BUSY_MS;
  const busy = running.filter((name) => seen(name) >= busyMs).toSorted();
  const quiet = running.filter((name) => seen(name) < busyMs).toSorted();
  const order = [...turned(busy, trialRound), ...quiet];
  const part = shares(trials, order.length)[order.indexOf(gateway)] ?? 0;
  return turned(shares(part, workers), Math.floor(trialRound / busy.length));
}

/** `whole` in as many parts as wanted, as equal as can be, the larger ones first. */
function shares(whole: number, parts: number): number[] {
  return Array.from(
    { length: parts },
    (_, part) => Math.floor(whole / parts) + (part < whole % parts ? 1 : 0),
  );
}

/** With the first `places` at the end. */
function turned<T>(list: readonly T[], places: number): T[] {
  const from = places % list.length;
  return [...list.slice(from), ...list.slice(0, from)];
}
