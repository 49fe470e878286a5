import type { BreakersView, BreakerView, StandingView } from '@usher/admin';
import { AdminClient } from '../admin-client.ts';
import { EXIT_OK, type Run } from '../io.ts';
import { table } from '../table.ts';
import type * as verbs from '../verbs/fleet.ts';

/** How the gateways vote on the backends. */
export const breakers: Run<typeof verbs.breakers> = async ({ options }, io) => {
  const client = await AdminClient.find(options, io);
  const query = options.pool === undefined ? '' : `?pool=${encodeURIComponent(options.pool)}`;
  const answer = await client.get<BreakersView>(`/v1/breakers${query}`, 'breakers');
  if (options.json) {
    io.out(JSON.stringify(answer));
    return EXIT_OK;
  }
  const header = ['POOL', 'BACKEND', 'BREAKER', 'UNTIL', 'FOR', 'AGAINST', 'NOT COUNTED', 'EJECTED BY'];
  for (const line of table(header, answer.breakers.map(cellsOf))) io.out(line);
  for (const line of answer.gateways.flatMap(sentencesOn)) io.out(line);
  return EXIT_OK;
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
