import { type BackendState, UsherError } from '@usher/domain';
import type { ServiceContext } from '@usher/ports';
import type { FastifyInstance } from 'fastify';
import * as docs from './api/read-docs.ts';
import { breakersView } from './breaker-views.ts';
import { readQuery } from './input.ts';
import { type StatusSources, statusOf } from './status.ts';
import { backendView, gatewayView } from './views.ts';

/** What the fleet is like, as this process has folded it: lists come with the log position they stand for. */
export function registerReadRoutes(
  app: FastifyInstance,
  context: ServiceContext,
  sources: StatusSources,
): void {
  const { fleet, clock } = context;
  const view = (backend: BackendState) => backendView(backend, sources.drains.of(backend));

  app.get('/v1/status', docs.STATUS, (request) => {
    readQuery(request.query, []);
    return statusOf(context, sources);
  });

  app.get('/v1/backends', docs.BACKENDS, (request) => {
    const { pool } = readQuery(request.query, ['pool']);
    if (pool !== undefined && !fleet.state.pools.has(pool))
      throw new UsherError('not_found', `No pool ${pool}`);
    const backends = [...fleet.state.backends.values()]
      .filter(({ settings }) => pool === undefined || settings.pool === pool)
      .map(view);
    return { position: fleet.position, backends };
  });

  app.get<{ Params: { id: string } }>('/v1/backends/:id', docs.ONE_BACKEND, (request, reply) => {
    readQuery(request.query, []);
    const { id } = request.params;
    const backend = fleet.state.backends.get(id);
    if (backend === undefined) throw new UsherError('not_found', `No backend ${id}`);
    return reply.header('etag', `"${backend.revision}"`).send(view(backend));
  });

  app.get('/v1/breakers', docs.BREAKER_LIST, (request) => {
    const { pool } = readQuery(request.query, ['pool']);
    if (pool !== undefined && !fleet.state.pools.has(pool))
      throw new UsherError('not_found', `No pool ${pool}`);
    return { position: fleet.position, ...breakersView(fleet.state, pool, clock.now()) };
  });

  app.get('/v1/gateways', docs.GATEWAYS, (request) => {
    readQuery(request.query, []);
    const gateways = [...fleet.state.gateways].map(([id, gateway]) => gatewayView(id, gateway));
    return { position: fleet.position, gateways };
  });
}
