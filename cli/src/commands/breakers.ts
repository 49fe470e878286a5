import type { BreakersView, BreakerView, StandingView } from '@usher/admin';
import { AdminClient } from '../admin-client.ts';
import { ADMIN_OPTIONS, parse } from '../arguments.ts';
import { type CliCommand, EXIT_OK } from '../io.ts';
import { table } from '../table.ts';

/** How the gateways vote on the backends. */
export const breakers: CliCommand = {
  usage: 'breakers [--pool P] [--json] [--admin URL] [--token T] [--timeout SECONDS]',
  async run(args, io) {
    const values = parse(args, { ...ADMIN_OPTIONS, pool: { type: 'string' } });
    const client = await AdminClient.find(values, io);
    const query = values.pool === undefined ? '' : `?pool=${encodeURIComponent(values.pool)}`;
    const answer = await client.get<BreakersView>(`/v1/breakers${query}`, 'breakers');
    if (values.json === true) {
      io.out(JSON.stringify(answer));
      return EXIT_OK;
    }
    const header = ['POOL', 'BACKEND', 'BREAKER', 'UNTIL', 'FOR', 'AGAINST', 'NOT COUNTED', 'EJECTED BY'];
    for (const line of table(header, answer.breakers.map(cellsOf))) io.out(line);
    for (const line of answer.gateways.flatMap(sentencesOn)) io.out(line);
    return EXIT_OK;
  },
};

function cellsOf({ pool, backend, enabled, phase, until, votes, ejectedBy }: BreakerView): string[] {
  return [
    pool,
    backend,
    enabled ? phase : 'off',
    until ?? '-',
    named(votes.for),
    named(votes.against),
    named(votes.uncounted.map(({ gateway, why }) => `${gateway} (${why})`)),
    named(ejectedBy.map(({ gateway }) => gateway)),
  ];
}

function named(names: readonly string[]): string {
  return names.length === 0 ? '-' : names.join(', ');
}

function sentencesOn({ gateway, trust, tripped, used, suspectSince }: StandingView): string[] {
  if (trust === 'trusted' && suspectSince === null) return [];
  const since = suspectSince === null ? '' : ` since ${suspectSince}`;
  const where = trust === 'suspect' ? ', where others do not' : '';
  return [
    `gateway ${gateway} is ${trust === 'failing' ? 'failing' : `a suspect${since}`}: it fails against ${tripped} of the ${used} backends that it uses${where}; its votes do not count`,
  ];
}
