import type { Metrics, Sample } from '@usher/ports';
import { ALLOWED, ANSWERED, LIMITED, SHED } from '../admission/admission.ts';
import { ANSWERED_FOR } from '../traffic/route-traffic.ts';
import type { Measurement } from '../worker/protocol.ts';

/** Registers what became of requests before they were served. Clients are no labels: there may be any number of them. */
export function exposeAdmission(metrics: Metrics, all: () => Promise<readonly Measurement[]>): void {
  const perRoute = async (): Promise<ReadonlyMap<string, readonly number[]>> => {
    const sums = new Map<string, number[]>();
    for (const { route, counts } of (await all()).flatMap(({ routes }) => routes)) {
      const sum = sums.get(route);
      sums.set(route, sum === undefined ? [...counts] : sum.map((value, at) => value + (counts[at] ?? 0)));
    }
    return sums;
  };
  metrics.counter(
    'usher_rate_limit_requests_total',
    'Requests that were held to a rate limit, by route and what became of them',
    async () =>
      [...(await perRoute())].flatMap(([route, counts]): Sample[] => {
        const allowed = counts[ALLOWED] ?? 0;
        const limited = counts[LIMITED] ?? 0;
        if (allowed === 0 && limited === 0) return [];
        return [
          { labels: { route, outcome: 'allowed' }, value: allowed },
          { labels: { route, outcome: 'limited' }, value: limited },
        ];
      }),
  );
  metrics.counter(
    'usher_shed_requests_total',
    'Requests that were not served because there was too much to do, by route',
    async () =>
      [...(await perRoute())].flatMap(([route, counts]): Sample[] =>
        (counts[SHED] ?? 0) === 0 ? [] : [{ labels: { route }, value: counts[SHED] ?? 0 }],
      ),
  );
  metrics.counter(
    'usher_traffic_answers_total',
    'Requests that the policy of their route answered, by route and why',
    async () =>
      [...(await perRoute())].flatMap(([route, counts]) =>
        ANSWERED_FOR.flatMap((reason, at): Sample[] => {
          const value = counts[ANSWERED + at] ?? 0;
          return value === 0 ? [] : [{ labels: { route, reason }, value }];
        }),
      ),
  );
}
