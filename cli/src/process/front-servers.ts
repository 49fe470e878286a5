import { refusalWriter, registerAdminRoutes } from '@usher/admin';
import { type Collector, collectorRoutes, startOpsenServer } from '@usher/collector';
import { tlsSource, type UsherConfig } from '@usher/config';
import type { Service } from '@usher/ports';
import {
  type AdminServerOptions,
  type HealthReport,
  type Outages,
  type RunningServer,
  startAdminServer,
  startMetricsServer,
} from '@usher/runtime';
import type { Closing } from './closing.ts';
import { listening } from './listening.ts';
import type { Core } from './open-core.ts';

/** What the servers show of the process. */
interface FrontParts {
  readonly services: () => readonly Service[];
  readonly collector: Collector | undefined;
  readonly health: () => HealthReport;
  readonly outages: Outages;
  readonly inherit: InheritOne;
}

type ServerAddress = { readonly host: string; readonly port: number };
/** The descriptor of a socket that listens there already. */
type InheritOne = (address: ServerAddress) => Promise<number | undefined>;

/** Opens the servers that the configuration asks for, and has `closing` close them. Answers with where they are. */
export async function openServers(
  config: UsherConfig,
  core: Core,
  parts: FrontParts,
  closing: Closing,
): Promise<{ readonly admin: string | undefined; readonly metrics: string | undefined }> {
  const { collector, health, inherit } = parts;
  const admin = await openAdmin(config, core, parts);
  if (admin !== undefined) closing.add('the admin server', () => admin.close());
  const opsen = await openOpsen(config, core, collector, inherit);
  if (opsen !== undefined) closing.add('the Opsen API', () => opsen.close());
  const metrics = await openMetrics(config, core, health, inherit);
  if (metrics !== undefined) closing.add('the metrics server', () => metrics.close());
  return { admin: urlOf(admin, config.local.admin?.tls !== undefined), metrics: urlOf(metrics) };
}

async function openAdmin(
  { local, shared: { trustedProxies } }: UsherConfig,
  { context }: Core,
  { services, collector, health, outages, inherit }: FrontParts,
): Promise<RunningServer | undefined> {
  if (local.admin === null) return undefined;
  const { clock, log, random } = context;
  const register: AdminServerOptions['register'] = (app) => {
    registerAdminRoutes(app, context, { services, outages: () => outages.current });
    if (collector !== undefined) collectorRoutes(app, collector);
  };
  const { tls, ...settings } = local.admin;
  const server = startAdminServer({
    ...settings,
    ...(tls === undefined ? {} : { tls: tlsSource(tls) }),
    socket: await inherit(local.admin),
    trustedProxies,
    clock,
    log,
    random,
    health,
    onRefusals: refusalWriter(context),
    register,
  });
  return await listening('admin.address', local.admin, server);
}

/** Only where agents are heard. */
async function openOpsen(
  { local: { opsen } }: UsherConfig,
  { context }: Core,
  collector: Collector | undefined,
  inherit: InheritOne,
): Promise<RunningServer | undefined> {
  if (opsen === undefined || collector === undefined) return undefined;
  const settings = { ...opsen, socket: await inherit(opsen) };
  return await listening('opsen.address', opsen, startOpsenServer(settings, context, collector));
}

async function openMetrics(
  { local }: UsherConfig,
  { metrics, log }: Core,
  health: () => HealthReport,
  inherit: InheritOne,
): Promise<RunningServer | undefined> {
  if (local.metrics === null) return undefined;
  const socket = await inherit(local.metrics);
  const server = startMetricsServer({ ...local.metrics, socket, metrics, health, log });
  return await listening('metrics.address', local.metrics, server);
}

export function addressText({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function urlOf(server: RunningServer | undefined, isTls = false): string | undefined {
  return server === undefined ? undefined : `${isTls ? 'https' : 'http'}://${addressText(server)}`;
}
