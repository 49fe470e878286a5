/** How it is found out whether a backend may get requests. */

/** How a backend is probed. `fall` failures in a row make it unhealthy, `rise` successes make it healthy again. */
export type HealthCheck =
  | { readonly type: 'none' }
  | ({ readonly type: 'tcp' } & ProbeTiming)
  | ({
      readonly type: 'http';
      readonly path: string;
      readonly expectStatus: readonly number[];
      /** Absent in what was written before it existed: then GET. */
      readonly method?: ProbeMethod | undefined;
      /** Fields of the request, names in lower case. A `host` stands for the backend's. */
      readonly headers?: Readonly<Record<string, string>> | undefined;
      /** Text that the body has to contain. */
      readonly expectBody?: string | undefined;
    } & ProbeTiming)
  /** By grpc.health.v1; without a name, of the server as a whole. */
  | ({ readonly type: 'grpc'; readonly service: string } & ProbeTiming);

export const PROBE_METHODS = ['GET', 'HEAD', 'OPTIONS', 'POST'] as const;
export type ProbeMethod = (typeof PROBE_METHODS)[number];

export interface ProbeTiming {
  readonly intervalMs: number;
  /** The longest interval for a backend that stays down. Absent in what was written before it existed: then `intervalMs`. */
  readonly downIntervalMs?: number | undefined;
  readonly timeoutMs: number;
  readonly fall: number;
  readonly rise: number;
}

/** Circuit breaker: `failures` within `windowMs` open it for `openForMs`; then `halfOpenRequests` may try. */
export interface BreakerSettings {
  readonly enabled: boolean;
  readonly failures: number;
  readonly windowMs: number;
  readonly openForMs: number;
  readonly halfOpenRequests: number;
  readonly successes: number;
}

/**
 * Passive health: `consecutive` failures in a row, or a share of `failureRate` among at least `requestsMin` attempts within
 * `windowMs`, eject a backend for `ejectForMs`, longer each time. `maxEjected` bounds the share of the pool.
 */
export interface PassiveSettings {
  readonly enabled: boolean;
  readonly consecutive: number;
  readonly failureRate: number;
  readonly windowMs: number;
  readonly requestsMin: number;
  readonly ejectForMs: number;
  readonly maxEjected: number;
}
