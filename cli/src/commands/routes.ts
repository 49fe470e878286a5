import { inMatchOrder, type RouteSettings } from '@usher/domain';
import { AdminClient } from '../admin-client.ts';
import { ADMIN_OPTIONS, parse } from '../arguments.ts';
import { type CliCommand, EXIT_OK } from '../io.ts';
import { table } from '../table.ts';

export const routes: CliCommand = {
  usage: 'routes [list] [--json]',
  async run(args, io) {
    const values = parse(args[0] === 'list' ? args.slice(1) : args, ADMIN_OPTIONS);
    const client = await AdminClient.find(values, io);
    const answer = await client.get<{ readonly routes: readonly RouteSettings[] }>('/v1/routes', 'routes');
    const ordered = inMatchOrder(answer.routes);
    if (values.json === true) {
      io.out(JSON.stringify(ordered));
      return EXIT_OK;
    }
    const cells = ordered.map(({ id, host, path, pool, plugins }, at) => [
      String(at + 1),
      id,
      host ?? '*',
      path,
      pool,
      plugins.map(({ name }) => name).join(', '),
    ]);
    for (const line of table(['ORDER', 'ROUTE', 'HOST', 'PATH', 'POOL', 'PLUGINS'], cells)) io.out(line);
    return EXIT_OK;
  },
};
