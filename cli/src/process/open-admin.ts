import { type ConfigPreviews, refusalWriter, registerAdminRoutes, registerHeliosRoutes } from '@usher/admin';
import { type Collector, collectorRoutes } from '@usher/collector';
import { type AdminSettings, exposure, tlsSource, type UsherConfig } from '@usher/config';
import type { Service, ServiceContext } from '@usher/ports';
import {
  type AdminAccess,
  type AdminServer,
  type AdminServerOptions,
  type HealthReport,
  type Outages,
  startAdminServer,
} from '@usher/runtime';
import type { Door } from './doors.ts';
import { listening } from './listening.ts';
import type { Core } from './open-core.ts';

/** The descriptor of a socket that listens there already; undefined when there is none. */
export type InheritOne = (address: {
  readonly host: string;
  readonly port: number;
}) => Promise<number | undefined>;

/** What the admin server shows of the process. */
export interface AdminParts {
  readonly services: () => readonly Pick<Service, 'name' | 'fault'>[];
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
): Promise<AdminServer | undefined> {
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
): Promise<AdminServer | undefined> {
  const { admin, helios } = config.local;
  if (admin === null || helios === undefined) return undefined;
  const register: AdminServerOptions['register'] = (app) =>
    registerHeliosRoutes(app, context, { pool: helios.pool, metrics });
  // Helios never asked what bodies say that they are: `curl -d` calls JSON a form.
  const settings = { ...admin, host: helios.host, port: helios.port, anyContentType: true };
  return await listening('helios.address', helios, startGuarded(config, context, settings, parts, register));
}

/** Takes up whom the admin settings of a changed configuration let in. */
export function doorOf(server: AdminServer): Door {
  return {
    fault: ({ local: { admin } }) => (admin === null ? undefined : exposure(admin, server)),
    admit: (config) => {
      if (config.local.admin !== null) server.admit(accessOf(config, config.local.admin));
    },
  };
}

function accessOf(
  { shared: { trustedProxies } }: UsherConfig,
  { tokens, jwt, allow, deny }: AdminSettings,
): AdminAccess {
  return { tokens, jwt, allow, deny, trustedProxies };
}

/** A server that lets in whom the admin settings let in. */
async function startGuarded(
  config: UsherConfig,
  context: ServiceContext,
  settings: AdminSettings & Pick<AdminServerOptions, 'anyContentType'>,
  { health, inherit }: Pick<AdminParts, 'health' | 'inherit'>,
  register: AdminServerOptions['register'],
): Promise<AdminServer> {
  const { host, port, limits, tls, anyContentType } = settings;
  const { clock, log, random } = context;
  return await startAdminServer({
    host,
    port,
    limits,
    anyContentType,
    ...accessOf(config, settings),
    ...(tls === undefined ? {} : { tls: tlsSource(tls) }),
    socket: await inherit(settings),
    clock,
    log,
    random,
    health,
    onRefusals: refusalWriter(context),
    register,
  });
}
