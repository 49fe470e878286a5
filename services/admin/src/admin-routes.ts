import type { Service, ServiceContext } from '@usher/ports';
import type { FastifyInstance } from 'fastify';
import { registerCommandRoutes } from './command-routes.ts';
import { registerEventRoutes } from './event-routes.ts';
import { registerReadRoutes } from './read-routes.ts';
import { registerRouteRoutes } from './route-routes.ts';

export interface AdminRoutesOptions {
  /** The services that run in this process, whose faults the status tells. */
  readonly services: () => readonly Service[];
}

/** Adds the admin API to a server that knows who calls and answers errors: reads need `read`, changes `operate`. */
export function registerAdminRoutes(
  app: FastifyInstance,
  context: ServiceContext,
  { services }: AdminRoutesOptions,
): void {
  registerReadRoutes(app, context, services);
  registerEventRoutes(app, context);
  registerCommandRoutes(app, context);
  registerRouteRoutes(app, context);
}
