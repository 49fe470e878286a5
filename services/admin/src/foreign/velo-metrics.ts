import type { ServiceContext } from '@usher/ports';
import type { MetricsForm, MetricsReading } from '@usher/runtime';
import { sumOf } from './sums.ts';

/**
 * The metrics of a gateway in the JSON of Velo: a map of pools, by their ids, with what each has had. `ownPool` is this process
 * itself, and nobody declared it.
 */
export function veloMetrics(
  { fleet }: Pick<ServiceContext, 'fleet'>,
  metrics: MetricsReading,
  ownPool: string,
): MetricsForm {
  return {
    contentType: 'application/json',
    async render() {
      const requests = await metrics.samples('usher_requests_total');
      const inFlight = await metrics.samples('usher_backend_in_flight');
      const declared = [...fleet.state.pools.keys()].filter((pool) => pool !== ownPool);
      const pools = declared.map((pool) => [
        pool,
        {
          total_requests: sumOf(requests, { pool }),
          failed_requests: sumOf(requests, { pool, code: '5xx' }),
          active_connections: sumOf(inFlight, { pool }),
        },
      ]);
      return JSON.stringify(Object.fromEntries(pools));
    },
  };
}
