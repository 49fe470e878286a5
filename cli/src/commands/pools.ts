import type { PoolView } from '@usher/admin';
import type { StrategyName } from '@usher/domain';
import { AdminClient } from '../admin-client.ts';
import { change } from '../change.ts';
import { EXIT_OK, type Run } from '../io.ts';
import { table } from '../table.ts';
import type * as verbs from '../verbs/fleet.ts';

export const pools: Run<typeof verbs.pools> = async ({ options }, io) => {
  const client = await AdminClient.find(options, io);
  const answer = await client.get<{ readonly pools: readonly PoolView[] }>('/v1/pools', 'pools');
  if (options.json) {
    io.out(JSON.stringify(answer.pools));
    return EXIT_OK;
  }
  const cells = answer.pools.map(({ id, strategy, backends }) => {
    const eligible = backends.filter(({ eligibility }) => eligibility === 'ok').length;
    return [id, strategy, String(backends.length), String(eligible)];
  });
  for (const line of table(['POOL', 'STRATEGY', 'BACKENDS', 'ELIGIBLE'], cells)) io.out(line);
  return EXIT_OK;
};

export const poolsStrategy: Run<typeof verbs.poolsStrategy> = async (given, io) => {
  const { POOL: pool, NAME: strategy } = given.arguments;
  // The declaration lets no other through.
  return await change('pool.set_strategy', { pool, strategy: strategy as StrategyName }, given.options, io);
};
