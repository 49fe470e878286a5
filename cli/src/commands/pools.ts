import type { PoolView } from '@usher/admin';
import { STRATEGY_NAMES, type StrategyName } from '@usher/domain';
import { AdminClient } from '../admin-client.ts';
import { ADMIN_OPTIONS, CHANGE_OPTIONS, parse, parseMixed } from '../arguments.ts';
import { change } from '../change.ts';
import { type CliCommand, EXIT_OK, type Io, UsageError } from '../io.ts';
import { table } from '../table.ts';

export const pools: CliCommand = {
  usage: 'pools [list | strategy POOL NAME] [--json]',
  async run(args, io) {
    const [name, ...rest] = args;
    if (name === undefined || name.startsWith('-')) return await list(args, io);
    if (name === 'list') return await list(rest, io);
    if (name === 'strategy') return await setStrategy(rest, io);
    throw new UsageError(`pools: there is no ${name}`);
  },
};

async function list(args: readonly string[], io: Io): Promise<number> {
  const values = parse(args, ADMIN_OPTIONS);
  const client = await AdminClient.find(values, io);
  const answer = await client.get<{ readonly pools: readonly PoolView[] }>('/v1/pools', 'pools');
  if (values.json === true) {
    io.out(JSON.stringify(answer.pools));
    return EXIT_OK;
  }
  const cells = answer.pools.map(({ id, strategy, backends }) => {
    const eligible = backends.filter(({ eligibility }) => eligibility === 'ok').length;
    return [id, strategy, String(backends.length), String(eligible)];
  });
  for (const line of table(['POOL', 'STRATEGY', 'BACKENDS', 'ELIGIBLE'], cells)) io.out(line);
  return EXIT_OK;
}

async function setStrategy(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseMixed(args, CHANGE_OPTIONS);
  const [pool, strategy, ...more] = positionals;
  if (pool === undefined || strategy === undefined || more.length > 0)
    throw new UsageError('pools strategy takes POOL and NAME');
  if (!isStrategy(strategy)) {
    throw new UsageError(`there is no strategy ${strategy}; there are ${STRATEGY_NAMES.join(', ')}`);
  }
  return await change('pool.set_strategy', { pool, strategy }, values, io);
}

function isStrategy(name: string): name is StrategyName {
  return (STRATEGY_NAMES as readonly string[]).includes(name);
}
