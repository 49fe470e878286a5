import type { Metrics } from '@usher/ports';
import { MIRROR_OUTCOMES } from '../mirror/route-mirror.ts';
import type { Measurement } from '../worker/protocol.ts';
import { addMirrors } from './departed.ts';

/** Registers what became of copies of requests. */
export function exposeMirrors(metrics: Metrics, all: () => Promise<readonly Measurement[]>): void {
  metrics.counter(
    'usher_mirror_requests_total',
    'Copies of requests that another pool gets, by route, pool and what became of them',
    async () =>
      (await all())
        .map(({ mirrors }) => mirrors)
        .reduce(addMirrors, [])
        .flatMap(({ route, pool, counts }) =>
          MIRROR_OUTCOMES.map((outcome, at) => ({
            labels: { route, pool, outcome },
            value: counts[at] ?? 0,
          })),
        ),
  );
}
