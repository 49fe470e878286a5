import { inMatchOrder, type RouteSettings } from '@usher/domain';
import { AdminClient } from '../admin-client.ts';
import { EXIT_OK, type Run } from '../io.ts';
import { table } from '../table.ts';
import type * as verbs from '../verbs/fleet.ts';

export const routes: Run<typeof verbs.routes> = async ({ options }, io) => {
  const client = await AdminClient.find(options, io);
  const answer = await client.get<{ readonly routes: readonly RouteSettings[] }>('/v1/routes', 'routes');
  const ordered = inMatchOrder(answer.routes);
  if (options.json) {
    io.out(JSON.stringify(ordered));
    return EXIT_OK;
  }
  const cells = ordered.map(({ id, host, path, pool, plugins }, at) => [
    String(at + 1),
    id,
    host ?? '*',
    path,
    pool ?? '-',
    plugins.map(({ name }) => name).join(', '),
  ]);
  for (const line of table(['ORDER', 'ROUTE', 'HOST', 'PATH', 'POOL', 'PLUGINS'], cells)) io.out(line);
  return EXIT_OK;
};
