import type { Dimension, PolicySettings, PressureLevel, RouteQuestion } from '@usher/domain';
import type { RouteAct } from '@usher/events';
import type { LogFields } from '@usher/ports';
import type { MirrorCounts } from '../mirror/route-mirror.ts';
import type { RateAnswer, RateAsk } from '../rate/rate-asks.ts';
import type { TableDelta } from '../routing-table.ts';
import type { MoveCause } from '../sticky/seats.ts';
import type { StickyCounts } from '../sticky/sticky.ts';
import type { StickyAnswer, StickyQuestion } from '../sticky/store-asks.ts';
import type { BreakerNews } from '../table/breaker-news.ts';
import type { BackendObservation, ConnectFailureCount } from '../table/observation.ts';
import type { PoolNews } from '../table/pool-news.ts';
import type { ListenerTls } from '../tls/contexts.ts';
import type { TlsCounts } from '../tls/counters.ts';
import type { LineCounts } from '../waiting.ts';
import type { WireCounts } from '../wire/counters.ts';
import type { WorkerOverload } from './pressure-watch.ts';
import type { WorkerAnswer } from './route-desk.ts';

/** What the control thread and the workers tell each other. Everything here survives structured cloning. */

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
  /** Connections begin with a header of the PROXY protocol; absent = they do not. */
  readonly proxyProtocol?: boolean;
  /** Networks in CIDR notation whose connections do; absent or empty = all. */
  readonly proxyProtocolFrom?: readonly string[];
  /** Clients may speak HTTP/2; absent = they may. */
  readonly http2?: boolean;
}

/** A listener as a worker has to open it. */
export interface ListenerStart extends ListenAddress {
  /** The same for as long as its socket stays. */
  readonly id: number;
  /** Undefined where it is plain. */
  readonly tls: ListenerTls | undefined;
  /** Descriptors of sockets that listen there already. The workers share them out; one that gets none opens its own. */
  readonly sockets?: readonly number[] | undefined;
}

/** What a worker is born with. */
export interface WorkerStart {
  readonly listen: readonly ListenerStart[];
  /** Its place among the workers of the gateway, from 0. */
  readonly worker: number;
  /** How many workers the gateway has. */
  readonly workers: number;
  /** Four draws in [0, 1) for the worker's own chance. */
  readonly seed: readonly number[];
  readonly policy: PolicySettings;
  readonly deltas: readonly TableDelta[];
  readonly position: number;
  /** A database that says where addresses are, shared by all workers. */
  readonly geoip: SharedArrayBuffer | undefined;
  /** Whoever shows it is told more than others. */
  readonly debugToken: string | undefined;
  /** Whether answers are counted by method and status. */
  readonly countsMethods: boolean;
  /** What the gateway knows of the clients that it holds to rate limits, shared by all workers. */
  readonly rates: SharedArrayBuffer;
  /** Undefined: it never does without any request. */
  readonly overload: WorkerOverload | undefined;
}

/** How much a worker has to do, and what says so: the share of memory in use, how late it is. */
export interface PressureNews {
  readonly level: PressureLevel;
  readonly cause: 'memory' | 'event_loop';
  readonly memory: number;
  readonly delayMs: number;
}

export type ToWorker =
  | { readonly kind: 'deltas'; readonly deltas: readonly TableDelta[]; readonly position: number }
  /** All listeners that there shall be: open those that are new. Answered by `prepared` or `unprepared`, then one of the next two comes. */
  | { readonly kind: 'prepare'; readonly listen: readonly ListenerStart[] }
  | { readonly kind: 'commit' }
  | { readonly kind: 'abort' }
  /** New certificates or ticket keys for the listener with this id. */
  | { readonly kind: 'tls'; readonly listener: number; readonly tls: ListenerTls }
  /** Requests under way in other workers and gateways, by id of the backend; those that are left out have none. */
  | { readonly kind: 'elsewhere'; readonly inFlight: ReadonlyMap<string, number> }
  /** Another database that says where addresses are. */
  | { readonly kind: 'geoip'; readonly content: SharedArrayBuffer }
  | { readonly kind: 'measure'; readonly id: number }
  /** What would be done with a request; answered by `answered`. */
  | { readonly kind: 'ask'; readonly id: number; readonly act: RouteAct; readonly question: RouteQuestion }
  | { readonly kind: 'reserved'; readonly id: number; readonly pool: string; readonly result: ReserveResult }
  | { readonly kind: 'rate_answers'; readonly answers: readonly RateAnswer[] }
  | { readonly kind: 'sticky_answer'; readonly id: number; readonly answer: StickyAnswer }
  /** Answered by `pong`, unless the worker is stuck. */
  | { readonly kind: 'ping' }
  /** The gateway is about to stop: no connection is to be kept, but what comes is served. */
  | { readonly kind: 'leave' }
  | { readonly kind: 'drain'; readonly deadlineMs: number };

export type FromWorker =
  | { readonly kind: 'listening' }
  /** The ports of the listeners in the order that they were given in. */
  | { readonly kind: 'prepared'; readonly ports: readonly number[] }
  /** Nothing has changed. */
  | { readonly kind: 'unprepared'; readonly cause: string }
  /** It could not start listening and is about to end. */
  | { readonly kind: 'failed'; readonly cause: string }
  | { readonly kind: 'observed'; readonly observation: WorkerObservation }
  | { readonly kind: 'breaker'; readonly news: BreakerNews }
  | { readonly kind: 'pool'; readonly news: PoolNews }
  /** A connection to a host failed, so what is known of its addresses may be out of date. */
  | { readonly kind: 'unreachable'; readonly host: string }
  /** A token named a key that is not among those of this place. */
  | { readonly kind: 'keys_wanted'; readonly place: string }
  | { readonly kind: 'answered'; readonly id: number; readonly answer: WorkerAnswer }
  | ReserveAsked
  /**
   * The request of `reserve` with this id is gone. No `reserved` follows, unless it is on its way already: then what it
   * grants has to be given back.
   */
  | { readonly kind: 'withdraw'; readonly id: number }
  /** What was granted is not used any more. An allocation is given back as often as it was granted. */
  | { readonly kind: 'give_back'; readonly pool: string; readonly allocations: readonly string[] }
  /** Those with an id are answered by a `rate_answers`. */
  | { readonly kind: 'rate_asks'; readonly asks: readonly RateAsk[] }
  /** It has changed. */
  | { readonly kind: 'pressure'; readonly news: PressureNews }
  /** Answered by one `sticky_answer` with its id. */
  | { readonly kind: 'sticky_ask'; readonly id: number; readonly question: StickyQuestion }
  /** The worker sends the requests of a session elsewhere, which nobody but the others have to know. */
  | {
      readonly kind: 'sticky_moved';
      readonly pool: string;
      readonly session: string;
      readonly from: string;
      readonly to: string;
      readonly cause: MoveCause;
    }
  | { readonly kind: 'measured'; readonly id: number; readonly measurement: Measurement }
  | {
      readonly kind: 'log';
      readonly level: 'debug' | 'info' | 'warn' | 'error';
      readonly message: string;
      readonly fields: LogFields | undefined;
    }
  | { readonly kind: 'pong' }
  | { readonly kind: 'drained' };

/**
 * A request needs room for its tier on one of these backends, best first. Answered by one `reserved` with its id, after a
 * wait if the pool lets requests wait. The id is the worker's own, and free again after the answer.
 */
export interface ReserveAsked {
  readonly kind: 'reserve';
  readonly id: number;
  readonly pool: string;
  readonly tier: string;
  /** Whose allocation it is, for pools that reserve by session; the same session is granted the same allocation. */
  readonly session?: string | undefined;
  readonly candidates: readonly string[];
  /** There are other candidates, which it will ask for if these are full: it does not wait for these. */
  readonly more?: boolean | undefined;
}

export type ReserveResult =
  /** To be given back once, also when nothing was reserved because the pool does without. */
  | { readonly outcome: 'granted'; readonly allocation: string; readonly backend: string }
  /** No candidate has room, and the request has waited as long as it may. What each has too little of. */
  | { readonly outcome: 'full'; readonly short: Readonly<Record<string, Dimension | 'max'>> }
  | { readonly outcome: 'closed'; readonly why: WhyClosed };

/**
 * Why nothing is reserved at all. `store_away`: the state store does not answer, and the pool needs it. `restoring`: the
 * store was started anew and has not been told yet what is reserved. `unknown`: there is no such pool or tier here.
 */
export type WhyClosed = 'store_away' | 'restoring' | 'unknown' | 'stopping';

/** What happened in a worker since its last observation. */
export interface WorkerObservation {
  /** Log position of the worker's table; what is reported happened before or after it was reached. */
  readonly position: number;
  /** Requests answered, and those of them with a status of 500 and above. */
  readonly requests: number;
  readonly errors: number;
  readonly backends: readonly BackendObservation[];
}

/** Where a worker's counters stand. */
export interface Measurement {
  readonly routes: readonly {
    readonly route: string;
    readonly pool: string;
    /** By the first digit of the status. */
    readonly answers: readonly number[];
    /** Of those that were looked at before they were served, see `Admission`. */
    readonly counts: readonly number[];
  }[];
  /** Of the pools whose backends have limits. */
  readonly mirrors: readonly MirrorCounts[];
  readonly lines: readonly { readonly pool: string; readonly counts: LineCounts }[];
  /** Of the pools that keep the requests of a client together. */
  readonly sessions: readonly { readonly pool: string; readonly counts: StickyCounts }[];
  readonly connectFailures: readonly ConnectFailureCount[];
  readonly wire: WireCounts;
  readonly plugin: WireCounts;
  readonly tls: TlsCounts;
  /** Backends that may be chosen now. */
  readonly choosable: readonly string[];
  /** The most that the worker's event loop was late since the last measurement, and the share of time that it was busy. */
  readonly loopDelayMaxMs: number;
  readonly loopUtilization: number;
}
