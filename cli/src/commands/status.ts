import type { Status } from '@usher/admin';
import { AdminClient } from '../admin-client.ts';
import { drainLine } from '../drain-line.ts';
import { EXIT_OK, type Run } from '../io.ts';
import type * as verbs from '../verbs/fleet.ts';

export const status: Run<typeof verbs.status> = async ({ options }, io) => {
  const client = await AdminClient.find(options, io);
  const answer = await client.get<Status>('/v1/status', 'digest');
  if (options.json) {
    io.out(JSON.stringify(answer));
    return EXIT_OK;
  }
  const { instance, version, position, digest, leader, degraded, outages, drains } = answer;
  for (const { part, since } of outages) io.out(`DEGRADED since ${since}: ${part.replace('_', ' ')}`);
  io.out(`${instance}, version ${version}`);
  io.out(`position ${position}, digest ${digest}`);
  io.out(leader === null ? 'no scheduler has led yet' : `led by ${leader.scheduler}, term ${leader.term}`);
  for (const sentence of degraded) io.out(`degraded: ${sentence}`);
  for (const { backend, ...drain } of drains) io.out(drainLine(backend, drain));
  return EXIT_OK;
};
