import { type ConfigPreviews, refusalWriter, registerAdminRoutes, registerHeliosRoutes } from '@usher/admin';
import { type Collector, collectorRoutes } from '@usher/collector';
import { type AdminSettings, tlsSource, type UsherConfig } from '@usher/config';
import type { Service, ServiceContext } from '@usher/ports';
import {
  type AdminServerOptions,
  type HealthReport,
  type Outages,
  type RunningServer,
  startAdminServer,
} from '@usher/runtime';
import { listening } from './listening.ts';
import type { Core } from './open-core.ts';

/** The descriptor of a socket that listens there already; undefined when there is none. */
export type InheritOne = (address: {
  readonly host: string;
  readonly port: number;
}) => Promise<number | undefined>;

/** What the admin server shows of the process. */
export interface AdminParts {
  readonly services: () => readonly Service[];
  readonly collector: Collector | undefined;
  readonly health: () => HealthReport;
  readonly outages: Outages;
  readonly previews: ConfigPreviews;
  readonly inherit: InheritOne;
}

/** All routes of a process's admin server beside those that every such server has. */
export function registerApi(
  app: Parameters<AdminServerOptions['register']>[0],
  context: ServiceContext,
  {
    services,
    collector,
    outages,
    previews,
  }: Pick<AdminParts, 'services' | 'collector' | 'outages' | 'previews'>,
): void {
  registerAdminRoutes(app, context, { services, outages: () => outages.current, previews });
  if (collector !== undefined) collectorRoutes(app, collector);
}

export async function openAdmin(
  config: UsherConfig,
  context: ServiceContext,
  parts: AdminParts,
): Promise<RunningServer | undefined> {
  const { admin } = config.local;
  if (admin === null) return undefined;
  const register: AdminServerOptions['register'] = (app) => registerApi(app, context, parts);
  return await listening('admin.address', admin, startGuarded(config, context, admin, parts, register));
}

/** For callers of Helios, with the tokens and lists of the admin API. */
export async function openHelios(
  config: UsherConfig,
  { context, metrics }: Pick<Core, 'context' | 'metrics'>,
  parts: Pick<AdminParts, 'health' | 'inherit'>,
): Promise<RunningServer | undefined> {
  const { admin, helios } = config.local;
  if (admin === null || helios === undefined) return undefined;
  const register: AdminServerOptions['register'] = (app) =>
    registerHeliosRoutes(app, context, { pool: helios.pool, metrics });
  // Helios never asked what bodies say that they are: `curl -d` calls JSON a form.
  const settings = { ...admin, host: helios.host, port: helios.port, anyContentType: true };
  return await listening('helios.address', helios, startGuarded(config, context, settings, parts, register));
}

/** A server that lets in whom the admin settings let in. */
async function startGuarded(
  { shared: { trustedProxies } }: UsherConfig,
  context: ServiceContext,
  { tls, ...settings }: AdminSettings & Pick<AdminServerOptions, 'anyContentType'>,
  { health, inherit }: Pick<AdminParts, 'health' | 'inherit'>,
  register: AdminServerOptions['register'],
): Promise<RunningServer> {
  const { clock, log, random } = context;
  return await startAdminServer({
    ...settings,
    ...(tls === undefined ? {} : { tls: tlsSource(tls) }),
    socket: await inherit(settings),
    trustedProxies,
    clock,
    log,
    random,
    health,
    onRefusals: refusalWriter(context),
    register,
  });
}
