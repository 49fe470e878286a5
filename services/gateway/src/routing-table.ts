import type {
  Answer,
  BreakerCell,
  Candidate,
  CandidatePool,
  EjectionCell,
  Eligibility,
  EndpointSettings,
  Features,
  HashSettings,
  PathTable,
  PolicySettings,
  PoolSettings,
  PressureLevel,
  ResourceFacts,
  RetryBudget,
  RouteSettings,
} from '@usher/domain';
import type { JwtKeySettings, Targets } from '@usher/runtime';
import type { RouteMirror } from './mirror/route-mirror.ts';
import type { RateRule } from './rate/rate-rule.ts';
import type { Sticky } from './sticky/sticky.ts';
import type { Addresses } from './table/addresses.ts';
import type { BackendLimit } from './table/backend-limit.ts';
import type { RouteArms } from './table/route-arms.ts';
import type { RowLimit } from './table/row-limit.ts';
import type { PoolTls, TlsClient, TlsRow } from './table/tls-client.ts';
import type { RouteTraffic } from './traffic/route-traffic.ts';
import type { Guest, Line, Wait } from './waiting.ts';
import type { ConnectCause } from './wire/connect-cause.ts';

/**
 * What a worker decides from: plain cells in memory, no actor, no promise, no lookup by string beyond the route.
 * The control thread sends changes (`TableDelta`); the lanes read and count.
 */

/** Where connections to a backend go. */
export interface Endpoint {
  /** Id of the backend. */
  readonly backend: string;
  /** Its place among those of the backend. */
  readonly index: number;
  readonly host: string;
  readonly port: number;
  /** Of the host; without any the backend is not eligible. */
  readonly addresses: Addresses;
  /** Undefined: plain TCP. */
  readonly tls: TlsClient | undefined;
  /** `host:port` as in the URL, the value of the Host header when a pool does not preserve the client's. */
  readonly authority: string;
  /** How many connections did not come about, by why; undefined when all did. */
  connectFailures: Map<ConnectCause, number> | undefined;
}

/** One backend. The request path reads the upper part and counts in the lower part. */
export interface BackendSlot extends Candidate {
  readonly id: string;
  /** Index in this worker, never used twice: a backend that comes back or moves to another address gets a new slot. */
  readonly index: number;
  readonly pool: PoolTable;
  /** The one for paths that none of the others is for. */
  readonly endpoint: Endpoint;
  /** All, that one first. */
  readonly endpoints: readonly Endpoint[];
  /** The others by their paths; undefined when there are none. */
  readonly byPath: PathTable<Endpoint> | undefined;
  weight: number;
  fullWeight: number;
  /** It gets new requests only while none of a lower number may. */
  priority: number;
  /** When it was last admitted: found eligible, with nothing speaking against it. 0 = it is not at present. */
  admittedMs: number;
  /** May get new requests, by the log alone. */
  eligible: boolean;
  /** Why not, for explanations. */
  barred: Eligibility;
  /** May get new requests when no backend of its pool is eligible. */
  lastResort: boolean;
  /** Requests that a half-open breaker, the fleet's or this worker's, lets through at a time. */
  trialLimit: number;
  /** The fleet's breaker is half open. */
  fleetHalfOpen: boolean;

  /** Requests under way that began in this worker. */
  own: number;
  /** With them those that are thought to be under way elsewhere, `base + pool.echo * own` if that is above 0. */
  inFlight: number;
  base: number;
  /** What agents and reservations tell of it; undefined as long as nobody did, or where its pool does not ask. */
  facts: ResourceFacts | undefined;
  /** Attempts finished and attempts that were the backend's fault, since the start of the worker. */
  requests: number;
  failures: number;
  latencySumMs: number;
  readonly breaker: BreakerCell;
  readonly ejection: EjectionCell;
  /** Left out for its ejection, which the pool can do without it. */
  ejected: boolean;
  /** Undefined: any number of requests may be under way. */
  limit: BackendLimit | undefined;
}

/** Something on a backend that is a request's, or a tunnel's, until it is released once. */
export interface Hold {
  release(): void;
}

/** `eligible` is whom the strategy may choose from now; rebuilt when that changes, never per request. */
export interface PoolTable extends CandidatePool<BackendSlot> {
  readonly id: string;
  settings: PoolSettings;
  /** Otherwise routes or backends only name it, and nobody is chosen: what it should keep to is not known. */
  declared: boolean;
  /** What part of a request the strategy goes by; undefined when it goes by none. */
  hash: HashSettings | undefined;
  /** The strategy goes by how backends answer, or their limits do, so it has to be told. */
  hears: boolean;
  /** The strategy goes by the requests under way. */
  needsLoad: boolean;
  /** How many requests elsewhere go with each one here: others do as this worker does until they are heard of. 0 = nobody else. */
  echo: number;
  /** Requests go where something is reserved for them, and nowhere else. */
  reserves: boolean;
  /** The strategy goes by where clients are. */
  asksWhere: boolean;
  /** What keeps the requests of a client together; undefined when nothing does. */
  sticky: Sticky | undefined;
  /** Some backend is in its slow start. */
  warming: boolean;
  /** So few backends are eligible that requests go to all. */
  panic: boolean;
  /** All slots, in order of registration. */
  readonly slots: BackendSlot[];
  readonly retryBudget: RetryBudget;
  /** Undefined as long as no backend of the pool has a limit. */
  line: Line | undefined;
  /** How much of that is taken. */
  pressure: PressureLevel;
  tls: PoolTls;
  targets: Targets;
}

export interface RouteEntry {
  readonly settings: RouteSettings;
  readonly pool: PoolTable;
  readonly lane: 'wire' | 'plugin';
  /** Requests answered so far by the first digit of their status, index 1 to 5. Both lanes add one per answered request. */
  readonly answers: Float64Array;
  /** Up to which level of pressure its requests are served. */
  readonly rank: number;
  readonly rule: RateRule | undefined;
  /** Undefined where nothing is asked of its requests, and nothing changed in them. */
  readonly traffic: RouteTraffic | undefined;
  /** Of those that were looked at before they were served, see `Admission`. */
  readonly counts: Float64Array;
  /** Undefined where all of its requests go to `pool`. What they choose has none. */
  readonly arms: RouteArms | undefined;
  /** Undefined where nobody gets copies of its requests. */
  readonly mirror: RouteMirror | undefined;
}

/** Why an attempt ended, as the retry loop and the breaker see it. */
export type AttemptOutcome =
  | 'ok'
  | 'connect_failed'
  | 'connect_timeout'
  | 'backend_closed'
  | 'response_timeout'
  | 'bad_response'
  | 'server_error'
  | 'client_closed';

export interface RoutingTable {
  readonly policy: PolicySettings;
  /** Log position that this table stands for. */
  readonly position: number;
  /** `host` lower case without port; `path` as received, without the query. */
  match(host: string, path: string): RouteEntry | undefined;
  /**
   * Chooses by the pool's strategy among eligible backends, leaving out those in `tried` (empty for a first attempt).
   * Undefined when none is left. Backends at their limit are left out, and while others wait so are all of them; in pools
   * that reserve nobody is chosen at once. Does not count the request: `begin` does.
   */
  pick(pool: PoolTable, tried: readonly BackendSlot[], features: Features): BackendSlot | undefined;
  /** How a request waits for which `pick` found nobody, or whose backend has reached its limit since. */
  wait(pool: PoolTable, tried: readonly BackendSlot[], features: Features, guest: Guest): Wait;
  /** False, and nothing has begun, when the backend has reached its limit since it was picked. */
  begin(slot: BackendSlot): boolean;
  /** The slot with this index, as long as it may be used. */
  slotAt(index: number): BackendSlot | undefined;
  /** Ends an attempt: counts it and its fault, drives the local breaker. `nowMs` is read once per request by the caller. */
  finish(
    pool: PoolTable,
    slot: BackendSlot,
    outcome: AttemptOutcome,
    durationMs: number,
    nowMs: number,
  ): void;
  /** Tells the strategy how an attempt was answered, once per attempt; only needed when `pool.hears`. */
  hear(slot: BackendSlot, answer: Answer, afterMs: number, nowMs: number): void;
  /** Counts a backend as busy beyond its attempt, for a connection that became a tunnel; keeps what was reserved as long. */
  hold(slot: BackendSlot, reserved: Hold | undefined): Hold;
  /** Whether the pool's retry budget allows one more attempt now; takes it from the budget if so. */
  takeRetry(pool: PoolTable, nowMs: number): boolean;
}

/** What tokens are checked with now. */
export type TokenKeyNews =
  /** The keys that are published at a place. */
  | { readonly place: string; readonly keys: readonly JwtKeySettings[] }
  /** What a reference stands for; undefined = nothing. */
  | { readonly reference: string; readonly secret: string | undefined };

/** A change of the table, posted from the control thread to every worker. Applied in order. */
export type TableDelta =
  | { readonly kind: 'policy'; readonly policy: PolicySettings }
  | { readonly kind: 'pool'; readonly settings: PoolSettings }
  /** How the pool's `https` backends are spoken to from now on. */
  | { readonly kind: 'tls'; readonly pool: string; readonly tls: TlsRow }
  /** What a host name resolves to now. */
  | { readonly kind: 'addresses'; readonly host: string; readonly addresses: readonly string[] }
  | { readonly kind: 'pool_removed'; readonly pool: string }
  | { readonly kind: 'backend'; readonly row: BackendRow }
  | { readonly kind: 'backend_removed'; readonly backend: string }
  /** What is known of a backend's resources, for pools that choose or reserve by them. */
  | { readonly kind: 'facts'; readonly backend: string; readonly facts: ResourceFacts }
  /** What a pool's cookies are made with: the first signs, all of them are good. */
  | { readonly kind: 'sticky_secrets'; readonly pool: string; readonly secrets: readonly string[] }
  | ({ readonly kind: 'token_keys' } & TokenKeyNews)
  /** Somebody else sends the requests of a session there from now on. */
  | { readonly kind: 'sticky_moved'; readonly pool: string; readonly session: string; readonly to: string }
  /** Sessions of a pool, or one, that began before this time are over. */
  | {
      readonly kind: 'sticky_cleared';
      readonly pool: string;
      readonly session?: string | undefined;
      readonly atMs: number;
    }
  /** Another worker's breaker changed. */
  | { readonly kind: 'tripped'; readonly backend: string; readonly untilMs: number }
  | { readonly kind: 'recovered'; readonly backend: string }
  /** Another worker ejected it. `times`: what the time was multiplied by. */
  | { readonly kind: 'ejected'; readonly backend: string; readonly untilMs: number; readonly times: number }
  | { readonly kind: 'readmitted'; readonly backend: string };

export interface BackendRow {
  readonly id: string;
  readonly pool: string;
  readonly url: string;
  readonly endpoints?: readonly EndpointSettings[] | undefined;
  readonly weight: number;
  readonly priority?: number | undefined;
  /** An agent declared it, so that its host must not lead outside its pool's targets. */
  readonly guarded?: true | undefined;
  /** By the log alone; the worker adds its own breaker's view. */
  readonly eligible: boolean;
  /** What speaks against it by the log; `ok` when nothing does. */
  readonly barred: Eligibility;
  /** Not eligible only because its health is unknown or its breaker open: better than none at all. */
  readonly lastResort: boolean;
  /** The fleet's breaker is half open: limited trials. */
  readonly halfOpen: boolean;
  /** This worker's part of the trials that its own half-open breaker allows. */
  readonly trialLimit: number;
  /** Trials of the fleet's half-open breaker by worker. Absent = `trialLimit` each. */
  readonly fleetTrials?: readonly number[] | undefined;
  readonly limit: RowLimit | undefined;
}
