/** Settings that keep clients, backends and the gateway itself from being asked for too much. */

/** By what requests are counted together. A request without the header goes by its client's address. */
export type RateKey =
  /** The client's address; of IPv6 its /64 network. */
  | { readonly by: 'ip' }
  /** `name` is in lower case. */
  | { readonly by: 'header'; readonly name: string }
  /** All requests of a route. */
  | { readonly by: 'route' }
  /** All requests of all routes that the limit is for. */
  | { readonly by: 'global' };

export const RATE_SCOPES = ['local', 'fleet'] as const;
/** `local`: each gateway counts for itself. `fleet`: all gateways together, in the state store. */
type RateScope = (typeof RATE_SCOPES)[number];

/** A bucket of `burst` requests for each key, into which `requests` come back within `perMs`. */
export type RateLimitSettings = RateKey & {
  readonly requests: number;
  readonly perMs: number;
  readonly burst: number;
  readonly scope: RateScope;
};

/** From what goes first to what goes last when a gateway has too much to do. */
export const PRIORITIES = ['sheddable', 'normal', 'critical'] as const;
export type Priority = (typeof PRIORITIES)[number];

/** How many requests a backend may have under way is found out by how its answers slow down. */
export interface AdaptiveSettings {
  /** It is never less, so that a backend is never without any. */
  readonly min: number;
  readonly max: number;
}
