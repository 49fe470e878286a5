import type { FastifyInstance } from 'fastify';
import { Body } from './body.ts';
import type { OpsenDesk } from './opsen-desk.ts';

/** Adds the API that Opsen's clients and agents know: `/register`, `/stats`, `/route`, `/clients` with its purges, and `/health`. */
export function opsenRoutes(app: FastifyInstance, desk: OpsenDesk): void {
  app.post('/register', async ({ body }) => await desk.register(Body.parse(String(body))));
  app.post('/stats', async ({ body }) => await desk.report(Body.parse(String(body))));
  app.post('/route', async (request) => await desk.route(Body.parse(String(request.body)), request));
  app.get<{ Querystring: { active_only?: unknown } }>(
    '/clients',
    async ({ query }) => await desk.list(query.active_only === 'true'),
  );
  app.route({ method: ['POST', 'DELETE'], url: '/clients/purge', handler: async () => await desk.purge() });
  app.route({
    method: ['POST', 'DELETE'],
    url: '/clients/purge-pending',
    handler: () => desk.purgePending(),
  });
  app.get('/health', { config: { open: true } }, () => desk.health());
}
