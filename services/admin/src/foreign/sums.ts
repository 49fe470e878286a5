import type { Sample } from '@usher/ports';
import type { MetricsReading } from '@usher/runtime';

/** The sum of the samples that have these labels. */
export function sumOf(samples: readonly Sample[], labels: Readonly<Record<string, string>> = {}): number {
  const wanted = Object.entries(labels);
  const fitting = samples.filter((sample) => wanted.every(([name, value]) => sample.labels[name] === value));
  return fitting.reduce((sum, { value }) => sum + value, 0);
}

/** How long requests took, in seconds, in all lanes. */
export interface Durations {
  readonly mean: number;
  /** The bound below which that share of the requests is. */
  readonly quantile: (share: number) => number;
}

export async function durationsOf(metrics: MetricsReading): Promise<Durations> {
  const { bounds, samples } = (await metrics.distribution('usher_request_duration_seconds')) ?? {
    bounds: [],
    samples: [],
  };
  const counts = Array.from({ length: bounds.length + 1 }, (_, at) =>
    samples.reduce((sum, sample) => sum + (sample.counts[at] ?? 0), 0),
  );
  const total = counts.reduce((sum, count) => sum + count, 0);
  const seconds = samples.reduce((sum, sample) => sum + sample.sum, 0);
  return {
    mean: total === 0 ? 0 : seconds / total,
    quantile(share) {
      let below = 0;
      const at = counts.findIndex((count) => (below += count) >= share * total);
      return total === 0 ? 0 : (bounds[at] ?? bounds.at(-1) ?? 0);
    },
  };
}
