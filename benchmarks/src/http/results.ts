import type { ProxyName } from './proxies.ts';
import type { Load } from './wrk.ts';

/** One proxy, one profile, one round. */
export interface Measurement extends Load {
  /** CPU time of the whole proxy during the round. */
  readonly cpuUs: number;
  readonly rssBytes: number;
}

/** One proxy over all rounds: medians, and the sum of errors. */
export interface Row {
  readonly proxy: ProxyName;
  readonly version: string;
  readonly requestsPerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly cpuUsPerRequest: number;
  /** CPU time per request in relation to HAProxy's of the same round: median, smallest and largest; null without HAProxy. */
  readonly cpuRatio: { readonly median: number; readonly min: number; readonly max: number } | null;
  /** Share of the core that the proxy used; below about 0.95 something else was the bottleneck. */
  readonly coreUsed: number;
  readonly rssBytes: number;
  readonly errors: number;
}

export interface Result {
  readonly profile: string;
  readonly rows: readonly Row[];
}

interface Contender {
  readonly name: ProxyName;
  readonly version: string;
  readonly measurements: readonly Measurement[];
}

const REFERENCE: ProxyName = 'haproxy';

const cpuPerRequest = ({ cpuUs, requests }: Measurement) => cpuUs / requests;

export function summarize(profile: string, contenders: readonly Contender[]): Result {
  const reference = contenders.find(({ name }) => name === REFERENCE)?.measurements;
  const rows = contenders.map(({ name, version, measurements }): Row => {
    const over = (value: (each: Measurement) => number) => median(measurements.map(value));
    return {
      proxy: name,
      version,
      requestsPerSecond: over(({ requests, durationUs }) => (requests * 1e6) / durationUs),
      p50Us: over(({ p50Us }) => p50Us),
      p99Us: over(({ p99Us }) => p99Us),
      cpuUsPerRequest: over(cpuPerRequest),
      cpuRatio: reference === undefined ? null : ratio(measurements, reference),
      coreUsed: over(({ cpuUs, durationUs }) => cpuUs / durationUs),
      rssBytes: over(({ rssBytes }) => rssBytes),
      errors: measurements.reduce((sum, { errors }) => sum + errors, 0),
    };
  });
  return { profile, rows };
}

/** The rounds are compared one by one, so that a slow minute of the machine cancels out. */
function ratio(own: readonly Measurement[], reference: readonly Measurement[]): Row['cpuRatio'] {
  const ratios = own.flatMap((each, round) => {
    const other = reference[round];
    return other === undefined ? [] : [cpuPerRequest(each) / cpuPerRequest(other)];
  });
  return { median: median(ratios), min: Math.min(...ratios), max: Math.max(...ratios) };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}
