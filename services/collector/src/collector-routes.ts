import type { FastifyInstance } from 'fastify';
import type { Collector } from './collector.ts';

/** Adds the agents' way in over HTTP to the admin server: `POST /v1/stats/<backend>` with `BackendStats` as JSON, answered 204. */
export function collectorRoutes(app: FastifyInstance, collector: Collector): void {
  app.post<{ Params: { backend: string } }>(
    '/v1/stats/:backend',
    { config: { role: 'operate' } },
    (request, reply) => {
      collector.submit(request.params.backend, request.body);
      return reply.code(204).send();
    },
  );
}
