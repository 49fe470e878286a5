/**
 * Shared settings: what the whole fleet agrees on. They reach a gateway as `config.applied`, `pool.*` and
 * `backend.*` events and are already normalised here: durations are milliseconds (`…Ms`), sizes are bytes
 * (`…Bytes`), ratios are 0..1, every default is filled in.
 */

import type { Resources } from './backend.ts';
import type { DiscoverySettings } from './discovery-settings.ts';
import type { BreakerSettings, HealthCheck, PassiveSettings } from './health-settings.ts';
import type { AdaptiveSettings, Priority, RateLimitSettings } from './overload-settings.ts';
import type { ScoringSettings } from './resource/score.ts';
import type { Tier } from './resource/tier.ts';
import type { StickySettings } from './sticky-settings.ts';
import type { ArmSettings, MirrorSettings } from './traffic/arms.ts';
import type { TrafficSettings } from './traffic/traffic-settings.ts';

export const BUILT_IN_STRATEGIES = [
  'round_robin',
  'weighted_round_robin',
  'random',
  'least_connections',
  'p2c',
  'ip_hash',
  'consistent_hash',
  'maglev',
  'peak_ewma',
  'least_response_time',
  'resource',
] as const;
export type BuiltInStrategy = (typeof BUILT_IN_STRATEGIES)[number];

/** `custom`: the pool's `strategyFile`. */
export const STRATEGY_NAMES = [...BUILT_IN_STRATEGIES, 'custom'] as const;
export type StrategyName = (typeof STRATEGY_NAMES)[number];

/**
 * Which part of a request `consistent_hash`, `maglev` and `custom` go by. A request that has no such header or cookie goes
 * by its client's address.
 */
export type HashSettings =
  | { readonly by: 'ip' }
  /** Without the query. */
  | { readonly by: 'path' }
  /** `name` is in lower case. */
  | { readonly by: 'header'; readonly name: string }
  | { readonly by: 'cookie'; readonly name: string };

/** `attempts` counts the tries after the first; `budgetRatio` bounds retries to that share of recent requests. */
export interface RetrySettings {
  readonly attempts: number;
  readonly budgetRatio: number;
}

export const PROXY_PROTOCOLS = ['none', 'v1', 'v2'] as const;
/** Version of the PROXY protocol header that tells a backend at the start of a connection whom it is for. */
export type ProxyProtocol = (typeof PROXY_PROTOCOLS)[number];

/** How requests wait when every backend that could take them is at its `maxConnections`. */
export interface QueueSettings {
  /** Requests that one gateway lets wait at a time; 0 = none waits. */
  readonly max: number;
  readonly timeoutMs: number;
}

/** How the pool's backends with an `https` URL are spoken to. Files are absolute paths on the machine that connects. */
export interface BackendTlsSettings {
  /** Whose certificates are valid; absent = those that Node trusts. */
  readonly ca?: string | undefined;
  /** Name to ask for and to find in the certificate; absent = the host of the URL. */
  readonly serverName?: string | undefined;
  /** What to show a backend that asks who connects. Both or neither. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** False = any certificate will do. */
  readonly verify: boolean;
}

/**
 * What a request reserves of the backend that serves it: nothing, its tier's resources until it is answered, or once for
 * all requests of its session.
 */
export const RESERVE_MODES = ['none', 'request', 'session'] as const;
export type ReserveMode = (typeof RESERVE_MODES)[number];

/**
 * What becomes of requests that reserve while the state store is away or does not know yet what is reserved. `local_share`:
 * each gateway reserves by itself within its part of what is free by the log. `open`: they are served without a
 * reservation. `closed`: they are refused.
 */
export const STORELESS_MODES = ['local_share', 'open', 'closed'] as const;
export type StorelessMode = (typeof STORELESS_MODES)[number];

/** How long the allocation of a session without requests lasts where that was not said. */
export const RESERVE_IDLE_MS = 300_000;

/** Names of headers, in lower case, whose values are degrees. */
export interface ClientLocationSettings {
  readonly latitudeHeader: string;
  readonly longitudeHeader: string;
}

/** Hosts by their addresses and names. */
export interface TargetSettings {
  /** In CIDR notation. */
  readonly networks: readonly string[];
  /** In lower case; `*.example.com` is every name below example.com. */
  readonly names: readonly string[];
}

export interface PoolSettings {
  readonly id: string;
  readonly strategy: StrategyName;
  /** Module of a strategy of one's own, an absolute path on the machine of each gateway; only for `custom`. */
  readonly strategyFile?: string | undefined;
  /** Absent in what was written before it existed: then the client's address. */
  readonly hash?: HashSettings | undefined;
  /** Over how long a backend that was admitted gets more and more requests; absent or 0 = all of its share at once. */
  readonly slowStartMs?: number | undefined;
  /** Absent in what was written before it existed: then no request waits. */
  readonly queue?: QueueSettings | undefined;
  /** Absent in what was written before it existed: then as if it said no more than `verify: true`. */
  readonly tls?: BackendTlsSettings | undefined;
  readonly health: HealthCheck;
  readonly breaker: BreakerSettings;
  /** Absent in what was written before it existed: then nobody is ejected. */
  readonly passive?: PassiveSettings | undefined;
  /**
   * With a smaller share of the backends eligible, requests go to all that no operator took out. Absent in what was written
   * before it existed: then 0, never.
   */
  readonly panic?: number | undefined;
  /** Whether whom only open breakers bar serves when nobody else can. Absent in what was written before it existed: then yes. */
  readonly failOpen?: boolean | undefined;
  readonly retry: RetrySettings;
  /** Anything but `none` makes every connection to a backend serve one request of one client only. */
  readonly proxyProtocol: ProxyProtocol;
  /** Backends are spoken to in HTTP/2 alone. */
  readonly http2: boolean;
  /** How long a drained backend may keep what it is serving before the drain ends by its deadline. */
  readonly drainMs: number;
  /** Whether backends of this pool are expected to report their resources. */
  readonly agents: boolean;
  /** What requests may need. Absent in what was written before it existed: then there are none. */
  readonly tiers?: readonly Tier[] | undefined;
  /** Absent in what was written before it existed: then nothing is reserved. */
  readonly reserve?: ReserveMode | undefined;
  /** Absent in what was written before it existed: then RESERVE_IDLE_MS. */
  readonly reserveIdleMs?: number | undefined;
  /** Absent in what was written before it existed: then `local_share`. */
  readonly reserveWithoutStore?: StorelessMode | undefined;
  /** Headers in which a trusted proxy tells where a client is. Absent = only the client's address does. */
  readonly clientLocation?: ClientLocationSettings | undefined;
  /** Absent in what was written before it existed: then DEFAULT_SCORING. */
  readonly scoring?: ScoringSettings | undefined;
  /** Absent: the requests of a client have nothing to do with each other. */
  readonly sticky?: StickySettings | undefined;
  /** Where backends may be that agents register, commands add and name servers tell. Absent: anywhere but in networks where none should be. */
  readonly targets?: TargetSettings | undefined;
  /** Absent: the pool has the backends that are declared, and no others. */
  readonly discovery?: DiscoverySettings | undefined;
  /** Absent: backends take what `maxConnections` allows. */
  readonly adaptive?: AdaptiveSettings | undefined;
}

/** Largest weight of a backend: enough for shares of a thousandth, little enough for exact sums. */
export const WEIGHT_MAX = 1000;

/** Where a backend listens for the requests of some paths. */
export interface EndpointSettings {
  /** `/exact`, `/prefix/*`, or a wildcard, see `pathPatternFault`. */
  readonly path: string;
  /** An origin like that of the backend. */
  readonly url: string;
}

export interface BackendSettings {
  /** Unique in the whole fleet, so that `drain b4` and the subject `usher.stats.b4` need no pool. */
  readonly id: string;
  readonly pool: string;
  /** Origin of the backend: scheme, host and port. */
  readonly url: string;
  /** Where it listens for paths that match; `url` is for all others. Absent in what was written before it existed. */
  readonly endpoints?: readonly EndpointSettings[] | undefined;
  /** Relative share, 0 = never chosen. */
  readonly weight: number;
  /** It gets requests only while no backend of the pool with a lower number may. Absent or 0 = first. */
  readonly priority?: number | undefined;
  readonly zone?: string | undefined;
  /** Where on the Earth it is, in degrees. */
  readonly place?: { readonly latitude: number; readonly longitude: number } | undefined;
  /** Requests that each gateway may have under way on it at a time; absent or 0 = no limit. */
  readonly maxConnections?: number | undefined;
  /** What reservations may fill; undefined = reservations never fill it. */
  readonly capacity?: Resources | undefined;
}

/** A plugin that runs in the plugin lane; `file` names a user's Fastify plugin, otherwise `name` is a built-in one. */
export interface PluginSettings {
  readonly name: string;
  readonly file?: string | undefined;
  readonly options: Readonly<Record<string, unknown>>;
}

/**
 * Where a request names the tier that it needs: the first of these that it has counts. What it has not is looked for in
 * the next one.
 */
export interface TierDetection {
  /** A field of the JSON object that the body is. */
  readonly field?: string | undefined;
  /** So much of a body is read for it; in a longer one it is not looked for. */
  readonly fieldBytesMax: number;
  /** A parameter of the query. */
  readonly query?: string | undefined;
  /** A header, in lower case. */
  readonly header?: string | undefined;
  /** The tier of a request that names none; absent = such a request is refused. */
  readonly default?: string | undefined;
}

/** Match on host and path; the most specific route wins (exact host, then wildcard host; longest path first). */
export interface RouteSettings extends ArmSettings {
  readonly id: string;
  /** Lower-case exact host, `*.example.com`, or undefined for any. */
  readonly host?: string | undefined;
  /** `/exact`, `/prefix/*` or `/*`. */
  readonly path: string;
  readonly plugins: readonly PluginSettings[];
  /** Whether a client may turn its connection into a WebSocket; otherwise its wish is ignored (RFC 9110 section 7.8). */
  readonly websocket: boolean;
  /** Absent = requests name no tier. */
  readonly tier?: TierDetection | undefined;
  /** Absent = that of the policy. */
  readonly rateLimit?: RateLimitSettings | 'none' | undefined;
  /** Absent in what was written before it existed: then `normal`. */
  readonly priority?: Priority | undefined;
  /** Absent in what was written before it existed: then nothing is copied. */
  readonly mirror?: MirrorSettings | undefined;
  /** What it says itself; what it does not say is that of the policy. Absent in what was written before it existed. */
  readonly traffic?: TrafficSettings | undefined;
}

export interface TimeoutSettings {
  readonly requestHeaderMs: number;
  readonly connectMs: number;
  readonly responseMs: number;
  /** How long a backend may pause within the body of a response; 0 = no limit, as in what was written before it existed. */
  readonly responseIdleMs?: number | undefined;
  /** How long a client may pause within the body of a request, or take nothing of a response that waits for it. */
  readonly bodyIdleMs: number;
  readonly idleMs: number;
  readonly backendIdleMs: number;
  /** 0 = no limit on a whole request. */
  readonly requestMs: number;
  /** How long nothing may pass either way through an upgraded connection. */
  readonly upgradeIdleMs: number;
  /**
   * How long a gateway that was told to stop goes on as before, but for ending each connection with its next answer.
   * Absent in what was written before it existed: it does not.
   */
  readonly lameDuckMs?: number | undefined;
  readonly shutdownMs: number;
}

export interface LimitSettings {
  /** 0 = unlimited. */
  readonly requestBodyBytes: number;
  /** Slowest that a client may send the body of a request; 0 = as slow as it likes. */
  readonly bodyRateBytesPerS: number;
  readonly headerBytes: number;
  readonly headerCount: number;
  readonly connections: number;
  /** 0 = unlimited. An IPv6 client is its /64 network. */
  readonly connectionsPerIp: number;
  /** 0 = unlimited. */
  readonly requestsPerConnection: number;
  /** Upgraded connections open at once. */
  readonly upgrades: number;
}

/** Everything of the shared settings that is neither a pool nor a backend. */
export interface PolicySettings {
  readonly routes: readonly RouteSettings[];
  readonly timeouts: TimeoutSettings;
  readonly limits: LimitSettings;
  /** Networks in CIDR notation whose X-Forwarded-* headers count. */
  readonly trustedProxies: readonly string[];
  /** For routes without one of their own. Absent = none. */
  readonly rateLimit?: RateLimitSettings | undefined;
  /** For routes that do not say it themselves. Absent in what was written before it existed: then nothing. */
  readonly traffic?: TrafficSettings | undefined;
}

/** One whole shared configuration, as a file declares it. */
export interface SharedSettings extends PolicySettings {
  readonly pools: readonly PoolSettings[];
  readonly backends: readonly BackendSettings[];
}
