/** One value of a metric family. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** One histogram of a family: `counts[i]` observations were ≤ `bounds[i]`, the last count is of those above all bounds. Not cumulative. */
export interface HistogramSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly counts: readonly number[];
  readonly sum: number;
}

/**
 * Metrics for Prometheus. Nothing is pushed: a family is registered once with a function that reads plain cells when
 * it is scraped. Names start with `usher_`, carry their unit and, for counters, end in `_total`.
 */
export interface Metrics {
  counter(name: string, help: string, collect: () => readonly Sample[] | Promise<readonly Sample[]>): void;
  gauge(name: string, help: string, collect: () => readonly Sample[] | Promise<readonly Sample[]>): void;
  histogram(
    name: string,
    help: string,
    bounds: readonly number[],
    collect: () => readonly HistogramSample[] | Promise<readonly HistogramSample[]>,
  ): void;
}
