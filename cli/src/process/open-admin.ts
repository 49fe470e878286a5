import { refusalWriter, registerAdminRoutes } from '@usher/admin';
import { type Collector, collectorRoutes } from '@usher/collector';
import { tlsSource, type UsherConfig } from '@usher/config';
import type { Service, ServiceContext } from '@usher/ports';
import {
  type AdminServerOptions,
  type HealthReport,
  type Outages,
  type RunningServer,
  startAdminServer,
} from '@usher/runtime';
import { listening } from './listening.ts';

/** What the admin server shows of the process. */
export interface AdminParts {
  readonly services: () => readonly Service[];
  readonly collector: Collector | undefined;
  readonly health: () => HealthReport;
  readonly outages: Outages;
}

/** All routes of a process's admin server beside those that every such server has. */
export function registerApi(
  app: Parameters<AdminServerOptions['register']>[0],
  context: ServiceContext,
  { services, collector, outages }: Omit<AdminParts, 'health'>,
): void {
  registerAdminRoutes(app, context, { services, outages: () => outages.current });
  if (collector !== undefined) collectorRoutes(app, collector);
}

export async function openAdmin(
  { local, shared: { trustedProxies } }: UsherConfig,
  context: ServiceContext,
  parts: AdminParts,
): Promise<RunningServer | undefined> {
  if (local.admin === null) return undefined;
  const { clock, log, random } = context;
  const { tls, ...settings } = local.admin;
  const server = startAdminServer({
    ...settings,
    ...(tls === undefined ? {} : { tls: tlsSource(tls) }),
    trustedProxies,
    clock,
    log,
    random,
    health: parts.health,
    onRefusals: refusalWriter(context),
    register: (app) => registerApi(app, context, parts),
  });
  return await listening('admin.address', local.admin, server);
}
