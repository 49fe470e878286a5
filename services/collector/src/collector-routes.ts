import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Collector } from './collector.ts';
import * as docs from './collector-docs.ts';

type OfBackend = { Params: { backend: string } };

/**
 * Adds the agents' way in over HTTP to the admin server: `POST /v1/stats/<backend>` with `BackendStats`, and
 * `PUT` and `DELETE /v1/agents/<backend>` to register the backend, with its settings but the id, and to take it away.
 * All are answered 204.
 */
export function collectorRoutes(app: FastifyInstance, collector: Collector): void {
  app.post<OfBackend>('/v1/stats/:backend', docs.REPORT, (request, reply) => {
    collector.submit(request.params.backend, request.body);
    return reply.code(204).send();
  });
  app.put<OfBackend>('/v1/agents/:backend', docs.REGISTER, async (request, reply) => {
    await collector.agents.register(speaker(request), request.body);
    return reply.code(204).send();
  });
  app.delete<OfBackend>('/v1/agents/:backend', docs.DEREGISTER, async (request, reply) => {
    await collector.agents.deregister(speaker(request));
    return reply.code(204).send();
  });
}

function speaker({ params, identity }: FastifyRequest<OfBackend>): { backend: string; actor: string } {
  return { backend: params.backend, actor: identity?.name ?? 'nobody' };
}
