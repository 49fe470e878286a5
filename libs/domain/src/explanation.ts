import type { Eligibility } from './backend.ts';
import type { ErrorCode } from './errors.ts';
import type { FitReason, Shortage } from './resource/fit.ts';
import type { Place } from './resource/place.ts';
import type { RouteVerdict } from './route-match.ts';
import type { HashSettings, ReserveMode, StrategyName } from './settings.ts';
import type { StickySettings } from './sticky-settings.ts';
import type { Measures } from './strategies/strategy.ts';
import type { ArmDecision, ArmSettings } from './traffic/arms.ts';

/** A request as far as a decision depends on it. */
export interface RouteQuestion {
  readonly method: string;
  /** Host as in the Host header, with a port if the client writes one. */
  readonly host: string;
  /** Path and query as on the request line. */
  readonly target: string;
  /** Absent = `http`. */
  readonly scheme?: 'http' | 'https' | undefined;
  /** Fields beside Host, in order. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Address of the client's end of the connection; absent = 127.0.0.1. */
  readonly clientIp?: string | undefined;
  /** Absent = as the request says. */
  readonly tier?: string | undefined;
  /** Where the client is; absent = as its address tells. */
  readonly from?: Place | undefined;
  /** Decides in this pool, whatever the routes say. */
  readonly pool?: string | undefined;
}

/**
 * What speaks against a backend, `ok` when nothing does. What the fleet knows and what is measured come by their own
 * names; beyond them: `breaker_tripped`, the worker's own breaker is open; `breaker_trials`, it is half open and has as
 * many trials under way as it may; `ejected`, it failed the requests of this gateway's clients; `priority`, backends that come
 * before it may get the request; `no_address`, the name of its host does not resolve; `max_connections`, it has as many
 * requests under way as it may.
 */
export type CandidateReason =
  | Eligibility
  | FitReason
  | 'tried'
  | 'breaker_tripped'
  | 'breaker_trials'
  | 'priority'
  | 'ejected'
  | 'no_address'
  | 'max_connections';

export interface ExplainedBackend {
  readonly backend: string;
  readonly url: string;
  readonly reason: CandidateReason;
  /** Of what it has too little, where that is the reason. */
  readonly short?: Shortage | undefined;
  /** At present; during a slow start less than declared. */
  readonly weight: number;
  /** Requests under way, with an estimate of those that other workers and gateways began. */
  readonly inFlight: number;
  /** Of them, those that this worker began. */
  readonly own: number;
  /** Absent = no limit. */
  readonly maxConnections?: number | undefined;
  /** What the strategy goes by. */
  readonly measures: Measures;
}

/** Where a request's tier was found; `given`: in the question. */
export type TierSource = 'given' | 'field' | 'query' | 'header' | 'default';

/**
 * Whom the strategy chooses from: the eligible; or, where these are too small a part of the pool, all that no operator took
 * out; or, where there are none, those of which nothing bad is known for certain; or, where there are none either, those
 * against whom only breakers and ejections speak. A pool that fails closed has instead of the last three those
 * against whom only ejections speak, or that nobody has probed yet.
 */
export type Preference = 'eligible' | 'panic' | 'last_resort' | 'despite_breakers' | 'unbroken';

/**
 * What becomes of a session by a request: it `stays` where it is; it `leaves` that backend, which may not get the request;
 * it `begins` with it; or the worker `asks` the store for it, and goes by the strategy unless that knows better.
 */
type SessionVerdict = 'stays' | 'leaves' | 'begins' | 'asks';

/** What the policy of a route makes of a request. */
export interface PolicyVerdict {
  /** What of it answers the request; null = nothing does. */
  readonly answered: 'client' | 'redirect' | 'preflight' | 'key' | 'token' | null;
  /** Of that answer. */
  readonly status: number | null;
  /** Where a redirect leads. */
  readonly location: string | null;
  /** Path and query that a backend gets instead of those of the request; null = those, or none gets it. */
  readonly rewritten: string | null;
}

/** With the settings that were decisive, so that `decideArm` gives the same again. */
export interface ExplainedArm extends ArmDecision {
  readonly settings: ArmSettings;
}

/** What one worker of a gateway would do with a request now, and why. */
export interface Explanation {
  readonly gateway: string;
  /** Its place among the gateway's workers, from 0. Turns and chance are each worker's own. */
  readonly worker: number;
  /** Log position that its table stands for. */
  readonly position: number;
  /** In the order in which they are preferred. */
  readonly routes: readonly {
    readonly route: string;
    readonly host: string | null;
    readonly path: string;
    readonly pool: string | null;
    readonly verdict: RouteVerdict;
  }[];
  /** Null when none matches, and when the pool was given. */
  readonly route: string | null;
  /** How it came to be this one of the route's pools; null where the route has one only, and when the pool was given. */
  readonly arm: ExplainedArm | null;
  /** Plugins that see the request first, and may answer it themselves. */
  readonly plugins: readonly string[];
  /** Null where the route has none, or a pool was given. Rate limits are not part of it. */
  readonly policy: PolicyVerdict | null;
  readonly pool: string | null;
  readonly strategy: StrategyName | null;
  /** What part of the request the strategy goes by, and its hash. */
  readonly key: { readonly by: HashSettings['by']; readonly name?: string; readonly hash: number } | null;
  /** What the request needs, and where that comes from; null where the pool has no tiers, or the request names none. */
  readonly tier: { readonly name: string; readonly by: TierSource } | null;
  /** Whether that is reserved on the backend for as long as it is needed. */
  readonly reserve: ReserveMode;
  /** Where the client is thought to be, as far as the pool asks. */
  readonly from: Place | null;
  /** The request's session; null where the pool keeps none, or the request does not say whose it is. */
  readonly session: {
    readonly by: StickySettings['by'];
    readonly verdict: SessionVerdict;
    /** Where it is, as far as the worker knows. */
    readonly backend: string | null;
  } | null;
  readonly among: Preference | null;
  readonly candidates: readonly ExplainedBackend[];
  /**
   * `backend`: it is sent to `chosen`. `waits`: until a backend has room. `answered`: by the policy, as that says. Otherwise
   * the error that it is answered with.
   */
  readonly outcome: 'backend' | 'waits' | 'answered' | ErrorCode;
  readonly chosen: string | null;
  /** More about an error; may be empty. */
  readonly detail: string;
}

/** What a worker decided for somebody who sends the request themselves. */
export interface RouteDecision {
  readonly gateway: string;
  readonly worker: number;
  readonly outcome: Explanation['outcome'];
  readonly pool: string | null;
  readonly chosen: string | null;
  /** Of the chosen backend. */
  readonly url: string | null;
  readonly from: Place | null;
  readonly detail: string;
}
