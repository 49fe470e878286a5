import { sharedSettingsOf, UsherError } from '@usher/domain';
import { sharedSettings } from '@usher/events';
import type { ServiceContext } from '@usher/ports';
import type { FastifyInstance } from 'fastify';
import * as docs from './api/read-docs.ts';
import { readQuery } from './input.ts';
import type { ConfigPreviews } from './preview-routes.ts';
import { poolView } from './views.ts';

/** What the fleet is meant to be like: its pools, routes and the rest of the shared settings. */
export function registerConfigRoutes(
  app: FastifyInstance,
  { fleet }: ServiceContext,
  previews: ConfigPreviews,
): void {
  const configRevision = () => fleet.state.config?.changedAt ?? 0;

  app.get('/v1/pools', docs.POOLS, (request) => {
    readQuery(request.query, []);
    const pools = [...fleet.state.pools.values()].map((pool) => poolView(fleet.state, pool));
    return { position: fleet.position, pools };
  });

  app.get<{ Params: { id: string } }>('/v1/pools/:id', docs.ONE_POOL, (request, reply) => {
    readQuery(request.query, []);
    const { id } = request.params;
    const pool = fleet.state.pools.get(id);
    if (pool === undefined) throw new UsherError('not_found', `No pool ${id}`);
    return reply.header('etag', `"${pool.revision}"`).send(poolView(fleet.state, pool));
  });

  app.get('/v1/routes', docs.ROUTES, (request, reply) => {
    readQuery(request.query, []);
    const routes = fleet.state.config?.policy.routes ?? [];
    void reply.header('etag', `"${configRevision()}"`);
    return { position: fleet.position, routes };
  });

  app.get('/v1/config', docs.CONFIG, (request, reply) => {
    readQuery(request.query, []);
    const config = sharedSettingsOf(fleet.state) ?? null;
    const revision = configRevision();
    void reply.header('etag', `"${revision}"`);
    return { position: fleet.position, revision, config };
  });

  app.post('/v1/config/diff', docs.CONFIG_DIFF, (request) => {
    readQuery(request.query, []);
    const { data: wanted, error } = sharedSettings.safeParse(request.body);
    if (wanted === undefined) {
      const faults = (error?.issues ?? []).map(
        ({ path, message }) => `${path.map(String).join('.')}: ${message}`,
      );
      throw new UsherError('invalid_input', faults.join('; '));
    }
    return { position: fleet.position, revision: configRevision(), changes: previews.settings(wanted) };
  });
}
