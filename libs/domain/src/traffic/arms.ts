import type { HashSettings } from '../settings.ts';
import { mix } from '../strategies/hash.ts';

/** Parts of a route's requests that go to other pools than the route's own. */
export interface SplitSettings {
  /** By what part of a request it is decided, so that all requests of a user go the same way. Absent = by chance, each by itself. */
  readonly by?: Exclude<HashSettings, { readonly by: 'path' }> | undefined;
  /** In the order in which they take their shares; what they leave goes to the pool of the route. */
  readonly pools: readonly { readonly pool: string; readonly share: number }[];
}

/** Requests that go to a pool because they ask for it. */
export interface CanarySettings {
  readonly by: 'header' | 'cookie';
  /** That of a header is in lower case. */
  readonly name: string;
  /** Absent = any but the empty one. */
  readonly value?: string | undefined;
  readonly pool: string;
}

/** Copies of requests for a pool whose answers nobody gets. */
export interface MirrorSettings {
  readonly pool: string;
  /** Of how many requests, from 0 to 1. */
  readonly share: number;
}

/** Where the requests of a route go. */
export interface ArmSettings {
  /** Absent where everybody is sent elsewhere; then there are no other pools either. */
  readonly pool?: string | undefined;
  /** The first that a request fits counts, before any split. Absent in what was written before it existed. */
  readonly canaries?: readonly CanarySettings[] | undefined;
  /** Absent in what was written before it existed: then all go to the one pool. */
  readonly split?: SplitSettings | undefined;
}

/** What is decisive of a request. With the settings of its route it gives the same pool in every process. */
export interface ArmFacts {
  /** Index of the canary that it fits; null = none. */
  readonly canary: number | null;
  /** Where it falls, from 0 to 1; null where nobody asked. */
  readonly point: number | null;
}

/** How a request came to one of its route's pools; `rest`: nothing took it elsewhere. */
export interface ArmDecision extends ArmFacts {
  readonly by: 'canary' | 'split' | 'rest';
  readonly pool: string;
}

/** Shares are given in hundredths and may be sums of such. */
const ROUNDING = 1e-9;
/** So that where a user falls says nothing about which backend of the pool a strategy that hashes then takes. */
const SALT = 0x5bd1e995;

/** The pool of a request, and why. Nothing else decides it. */
export function decideArm(
  { pool = '', canaries = [], split }: ArmSettings,
  { canary, point }: ArmFacts,
): ArmDecision {
  const asked = canary === null ? undefined : canaries[canary];
  if (asked !== undefined) return { canary, point, by: 'canary', pool: asked.pool };
  let from = 0;
  for (const { pool: other, share } of point === null ? [] : (split?.pools ?? [])) {
    from += share;
    if (point !== null && point < from - ROUNDING) return { canary, point, by: 'split', pool: other };
  }
  return { canary, point, by: 'rest', pool };
}

/** Where requests with this hash fall, from 0 to 1, evenly: the same for all routes. */
export function pointOf(key: number): number {
  return mix(key ^ SALT) / 2 ** 32;
}

/** Every pool that requests of the route may go to, its own first. */
export function poolsOf({ pool, canaries = [], split }: ArmSettings): string[] {
  return [
    ...new Set([
      ...(pool === undefined ? [] : [pool]),
      ...canaries.map((each) => each.pool),
      ...(split?.pools ?? []).map((each) => each.pool),
    ]),
  ];
}

/** Every pool that the route cannot do without. */
export function poolsNamedBy(
  route: ArmSettings & { readonly mirror?: MirrorSettings | undefined },
): string[] {
  return route.mirror === undefined ? poolsOf(route) : [...new Set([...poolsOf(route), route.mirror.pool])];
}

/** They take more than there is. */
export function exceedsWhole({ pools }: SplitSettings): boolean {
  return pools.reduce((sum, { share }) => sum + share, 0) > 1 + ROUNDING;
}
