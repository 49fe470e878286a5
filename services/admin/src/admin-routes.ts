import type { Service, ServiceContext } from '@usher/ports';
import type { Outage } from '@usher/runtime';
import type { FastifyInstance } from 'fastify';
import { registerCommandRoutes } from './command-routes.ts';
import { registerConfigRoutes } from './config-routes.ts';
import { DrainProgress } from './drain-progress.ts';
import { registerEventRoutes } from './event-routes.ts';
import { type ConfigPreviews, registerPreviewRoute } from './preview-routes.ts';
import { registerReadRoutes } from './read-routes.ts';
import { registerRouteRoutes } from './route-routes.ts';

export interface AdminRoutesOptions {
  /** The services that run in this process, whose faults the status tells. */
  readonly services: () => readonly Pick<Service, 'name' | 'fault'>[];
  /** What of the fleet this process does without. */
  readonly outages: () => readonly Outage[];
  readonly previews: ConfigPreviews;
}

/** Adds the admin API to a server that knows who calls and answers errors: reads need `read`, changes `operate`. */
export function registerAdminRoutes(
  app: FastifyInstance,
  context: ServiceContext,
  sources: AdminRoutesOptions,
): void {
  const drains = new DrainProgress(context);
  app.addHook('onClose', () => drains.stop());
  registerReadRoutes(app, context, { ...sources, drains });
  registerConfigRoutes(app, context, sources.previews);
  registerEventRoutes(app, context);
  registerCommandRoutes(app, context);
  registerRouteRoutes(app, context);
  registerPreviewRoute(app, sources.previews);
}
