import type { CountsByMethod, MethodCounts } from './method-counts.ts';

/** Upper bounds of the latency histogram, seconds: the list of OpenTelemetry for HTTP, and finer steps below it. */
export const LATENCY_BOUNDS_S = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
] as const;

const BOUNDS_MS = Float64Array.from(LATENCY_BOUNDS_S, (bound) => bound * 1000);

/** The place of a duration among the bounds; the last one is above all of them. */
export function bucketOf(durationMs: number): number {
  let bucket = 0;
  while (bucket < BOUNDS_MS.length && durationMs > BOUNDS_MS[bucket]!) bucket++;
  return bucket;
}

/** What one worker's wire lane did since it started. */
export interface WireCounts {
  /** Answered requests by the first digit of their status, index 1 to 5; those of 101 and above 499 are in 1 and 5. */
  readonly requestsByClass: readonly number[];
  /** Empty unless they are told apart. */
  readonly byMethod: CountsByMethod;
  /** Not cumulative; the last is above all bounds. */
  readonly latencyCounts: readonly number[];
  readonly latencySumMs: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly retries: number;
  /** Requests whose client left before the end of its answer. */
  readonly clientAborts: number;
  /** Requests that were not valid HTTP. */
  readonly badRequests: number;
  /** Responses that ended before their announced end or broke the grammar after it was too late for a 502. */
  readonly brokenResponses: number;
  readonly connectionsAccepted: number;
  readonly connectionsRefused: number;
  readonly connectionsOpen: number;
  readonly handedOver: number;
  /** WebSockets opened, refused for their number, and open or being opened. */
  readonly upgrades: number;
  readonly upgradesRefused: number;
  readonly upgradesOpen: number;
}

/** Plain cells that the request path adds to; read when somebody asks. */
export class WireCounters {
  readonly requestsByClass = new Float64Array(6);
  readonly latencyCounts = new Float64Array(LATENCY_BOUNDS_S.length + 1);
  /** Undefined unless somebody asked for them. */
  methods: MethodCounts | undefined;
  latencySumMs = 0;
  bytesIn = 0;
  bytesOut = 0;
  retries = 0;
  clientAborts = 0;
  badRequests = 0;
  brokenResponses = 0;
  connectionsAccepted = 0;
  connectionsRefused = 0;
  connectionsOpen = 0;
  handedOver = 0;
  upgrades = 0;
  upgradesRefused = 0;
  upgradesOpen = 0;

  /** Counts an answered request. What took less than no time, because the clock was set back, took none: sums only grow. */
  answered(status: number, tookMs: number, method: string): void {
    const durationMs = Math.max(0, tookMs);
    this.requestsByClass[(status / 100) | 0]! += 1;
    this.methods?.count(method, status);
    this.latencySumMs += durationMs;
    this.latencyCounts[bucketOf(durationMs)]! += 1;
  }

  read(): WireCounts {
    return {
      requestsByClass: [...this.requestsByClass],
      byMethod: this.methods?.read() ?? {},
      latencyCounts: [...this.latencyCounts],
      latencySumMs: this.latencySumMs,
      bytesIn: this.bytesIn,
      bytesOut: this.bytesOut,
      retries: this.retries,
      clientAborts: this.clientAborts,
      badRequests: this.badRequests,
      brokenResponses: this.brokenResponses,
      connectionsAccepted: this.connectionsAccepted,
      connectionsRefused: this.connectionsRefused,
      connectionsOpen: this.connectionsOpen,
      handedOver: this.handedOver,
      upgrades: this.upgrades,
      upgradesRefused: this.upgradesRefused,
      upgradesOpen: this.upgradesOpen,
    };
  }
}
