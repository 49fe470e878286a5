import type { HistogramSample, Metrics, Sample } from '@usher/ports';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { familyHead, histogramLines, sampleLines } from './exposition.ts';

const FAMILY_NAME = /^usher_[a-z0-9_]+$/;
const FAILURES = 'usher_metrics_failures_total';

/** The Metrics port, and what a scrape answers. */
export interface MetricsRegistry extends Metrics {
  /** The content type of `render`. */
  readonly contentType: string;
  /** All families in Prometheus text format, with those of the process and of Node. A family that fails is left out. */
  render(): Promise<string>;
  /** What a counter or a gauge has now; nothing when there is none of that name. */
  samples(name: string): Promise<readonly Sample[]>;
  /** What a histogram has now; nothing when there is none of that name. */
  distribution(name: string): Promise<Distribution | undefined>;
}

/** The part of it that other forms of metrics are made from. */
export type MetricsReading = Pick<MetricsRegistry, 'samples' | 'distribution'>;

interface Distribution {
  readonly bounds: readonly number[];
  readonly samples: readonly HistogramSample[];
}

interface Family {
  readonly head: string;
  lines(): Promise<string>;
  readonly samples?: () => readonly Sample[] | Promise<readonly Sample[]>;
  readonly distribution?: () => Promise<Distribution>;
}

/**
 * Families are read when they are scraped and written out directly: a labelled prom-client call costs hundreds of
 * nanoseconds and a copy of every label, plain cells cost a few. Its metrics of the process come from its registry.
 */
export function createMetrics(): MetricsRegistry {
  const families = new Map<string, Family>();
  const failures = new Map<string, number>();
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });

  const add = (name: string, type: string, help: string, family: Omit<Family, 'head'>) => {
    if (!FAMILY_NAME.test(name)) throw new Error(`metric ${name}: names are usher_ and lower case`);
    if ((type === 'counter') !== name.endsWith('_total'))
      throw new Error(`metric ${name}: counters, and only they, end in _total`);
    if (families.has(name)) throw new Error(`metric ${name} is registered twice`);
    families.set(name, { ...family, head: familyHead(name, type, help) });
  };
  const text = async (name: string, family: Family) => {
    try {
      return family.head + (await family.lines());
    } catch {
      // One broken family must not take the others with it; the failure shows as a number of its own.
      failures.set(name, (failures.get(name) ?? 0) + 1);
      return '';
    }
  };

  const valued = (name: string, collect: NonNullable<Family['samples']>) => ({
    lines: async () => sampleLines(name, await collect()),
    samples: collect,
  });
  const metrics: MetricsRegistry = {
    contentType: registry.contentType,
    counter: (name, help, collect) => add(name, 'counter', help, valued(name, collect)),
    gauge: (name, help, collect) => add(name, 'gauge', help, valued(name, collect)),
    histogram: (name, help, bounds, collect) =>
      add(name, 'histogram', help, {
        lines: async () => histogramLines(name, bounds, await collect()),
        distribution: async () => ({ bounds, samples: await collect() }),
      }),
    samples: async (name) => (await families.get(name)?.samples?.()) ?? [],
    distribution: async (name) => await families.get(name)?.distribution?.(),
    render: async () => {
      const own = await Promise.all([...families].map(([name, family]) => text(name, family)));
      return own.join('') + (await registry.metrics());
    },
  };
  metrics.counter(FAILURES, 'Scrapes of a metric family that failed.', () =>
    [...failures].map(([family, value]) => ({ labels: { family }, value })),
  );
  return metrics;
}
