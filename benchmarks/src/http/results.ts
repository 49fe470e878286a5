import type { Load } from './wrk.ts';

/** One proxy, one profile, one round. */
export interface Measurement extends Load {
  /** CPU time of the whole proxy during the round. */
  readonly cpuUs: number;
  readonly rssBytes: number;
}

/** Over all rounds. */
export interface Ratio {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** One proxy over all rounds: medians, and the sum of errors. */
export interface Row {
  readonly proxy: string;
  readonly version: string;
  readonly requestsPerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly cpuUsPerRequest: number;
  /** CPU time per request in relation to the reference's of the same round; null without the reference. */
  readonly cpuRatio: Ratio | null;
  /** Cores that the proxy used on average; where it had one, something else was the bottleneck below about 0.95. */
  readonly coresUsed: number;
  readonly rssBytes: number;
  readonly errors: number;
}

export interface Result {
  readonly profile: string;
  /** Whom the ratios are in relation to. */
  readonly reference: string;
  readonly rows: readonly Row[];
}

interface Contender {
  readonly name: string;
  readonly version: string;
  readonly measurements: readonly Measurement[];
}

const cpuPerRequest = ({ cpuUs, requests }: Measurement) => cpuUs / requests;

export function summarize(profile: string, reference: string, contenders: readonly Contender[]): Result {
  const yardstick = contenders.find(({ name }) => name === reference)?.measurements;
  const rows = contenders.map(({ name, version, measurements }): Row => {
    const over = (value: (each: Measurement) => number) => median(measurements.map(value));
    return {
      proxy: name,
      version,
      requestsPerSecond: over(({ requests, durationUs }) => (requests * 1e6) / durationUs),
      p50Us: over(({ p50Us }) => p50Us),
      p99Us: over(({ p99Us }) => p99Us),
      cpuUsPerRequest: over(cpuPerRequest),
      cpuRatio: yardstick === undefined ? null : ratioByRound(measurements, yardstick, cpuPerRequest),
      coresUsed: over(({ cpuUs, durationUs }) => cpuUs / durationUs),
      rssBytes: over(({ rssBytes }) => rssBytes),
      errors: measurements.reduce((sum, { errors }) => sum + errors, 0),
    };
  });
  return { profile, reference, rows };
}

/** The rounds are compared one by one, so that a slow minute of the machine cancels out. */
export function ratioByRound<M>(
  own: readonly M[],
  reference: readonly M[],
  value: (measurement: M) => number,
): Ratio {
  const ratios = own.flatMap((each, round) => {
    const other = reference[round];
    return other === undefined ? [] : [value(each) / value(other)];
  });
  return { median: median(ratios), min: Math.min(...ratios), max: Math.max(...ratios) };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}
