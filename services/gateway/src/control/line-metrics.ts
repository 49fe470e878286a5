import type { Metrics } from '@usher/ports';
import { LINE_EXITS, sumOfLines } from '../table/line-counts.ts';
import type { LineCounts } from '../waiting.ts';
import { LATENCY_BOUNDS_S } from '../wire/counters.ts';
import type { Measurement } from '../worker/protocol.ts';

/** Registers what there is to know of those who wait for backends at their `max_connections`. */
export function exposeLines(metrics: Metrics, all: () => Promise<readonly Measurement[]>): void {
  const perPool = async (): Promise<[pool: string, counts: LineCounts][]> => {
    const lines = (await all()).flatMap(({ lines }) => lines);
    const pools = [...new Set(lines.map(({ pool }) => pool))];
    return pools.map((pool) => [
      pool,
      sumOfLines(lines.filter((line) => line.pool === pool).map(({ counts }) => counts)),
    ]);
  };
  metrics.gauge('usher_queue_requests', 'Requests that wait until a backend has room', async () =>
    (await perPool()).map(([pool, { waiting }]) => ({ labels: { pool }, value: waiting })),
  );
  metrics.counter('usher_queue_exits_total', 'Requests that do not wait any more, by why', async () =>
    (await perPool()).flatMap(([pool, { exits }]) =>
      LINE_EXITS.map((outcome) => ({ labels: { pool, outcome }, value: exits[outcome] })),
    ),
  );
  metrics.histogram(
    'usher_queue_wait_seconds',
    'Time that requests waited before a backend had room',
    LATENCY_BOUNDS_S,
    async () =>
      (await perPool()).map(([pool, { waits, waitSumMs }]) => ({
        labels: { pool },
        counts: waits,
        sum: waitSumMs / 1000,
      })),
  );
}
