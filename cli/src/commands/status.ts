import type { Status } from '@usher/admin';
import { AdminClient } from '../admin-client.ts';
import { ADMIN_OPTIONS, parse } from '../arguments.ts';
import { type CliCommand, EXIT_OK } from '../io.ts';

export const status: CliCommand = {
  usage: 'status [--json] [--admin URL] [--token T] [--ca FILE] [--cert FILE --key FILE] [--timeout SECONDS]',
  async run(args, io) {
    const values = parse(args, ADMIN_OPTIONS);
    const client = await AdminClient.find(values, io);
    const answer = await client.get<Status>('/v1/status', 'digest');
    if (values.json === true) {
      io.out(JSON.stringify(answer));
      return EXIT_OK;
    }
    const { instance, version, position, digest, leader, degraded } = answer;
    io.out(`${instance}, version ${version}`);
    io.out(`position ${position}, digest ${digest}`);
    io.out(leader === null ? 'no scheduler has led yet' : `led by ${leader.scheduler}, term ${leader.term}`);
    for (const sentence of degraded) io.out(`degraded: ${sentence}`);
    return EXIT_OK;
  },
};
