import { registerAdminRoutes } from '@usher/admin';
import { type Collector, collectorRoutes, startCollector } from '@usher/collector';
import { sharedHash, tlsSource, type UsherConfig } from '@usher/config';
import { startHealth } from '@usher/health';
import type { Service } from '@usher/ports';
import {
  type AdminServerOptions,
  type HealthReport,
  healthReport,
  type Phase,
  type RunningServer,
  startAdminServer,
  startMetricsServer,
} from '@usher/runtime';
import { Scheduler } from '@usher/scheduler';
import { Closing } from './closing.ts';
import { listening } from './listening.ts';
import { type Core, openCore } from './open-core.ts';

export const SERVICE_NAMES = ['gateway', 'scheduler', 'health', 'collector'] as const;
export type ServiceName = (typeof SERVICE_NAMES)[number];

/** A process with its services, all up. */
export interface Running {
  readonly addresses: readonly string[];
  readonly admin: string | undefined;
  readonly metrics: string | undefined;
  readonly core: Core;
  stop(): Promise<void>;
}

/**
 * Starts the named services on one set of ports, with the operations and admin servers in front. The order matters
 * little to them (each waits for the log, not for the others), but the gateway comes last so that it finds a
 * configuration in the log.
 */
export async function runServices(config: UsherConfig, names: readonly ServiceName[]): Promise<Running> {
  const core = await openCore(config.local);
  const services: Service[] = [];
  const servers = new Closing();
  let phase: Phase = 'starting';
  const health = () => healthReport(phase, [core.watch, ...services]);
  const stop = async () => {
    phase = 'stopping';
    // The gateway first: it drains while everything that it relies on still works.
    const closing = new Closing();
    for (const service of services) closing.add(service.name, () => service.stop());
    await closing.run(core.log);
    await servers.run(core.log);
    await core.close();
  };
  try {
    const collector = names.includes('collector') ? startCollector(core.context) : undefined;
    if (collector !== undefined) services.push(collector);
    const addresses = await startRest(config, names, core, services);
    const admin = await openAdmin(config, core, { services: () => services, collector, health });
    if (admin !== undefined) servers.add('the admin server', () => admin.close());
    const metrics = await openMetrics(config, core, health);
    if (metrics !== undefined) servers.add('the metrics server', () => metrics.close());
    phase = 'running';
    return { addresses, admin: urlOf(admin), metrics: urlOf(metrics), core, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Starts the other services in order, adding each to `services`; resolves with the addresses that traffic goes to. */
async function startRest(
  { local, shared }: UsherConfig,
  names: readonly ServiceName[],
  { context, fold }: Core,
  services: Service[],
): Promise<readonly string[]> {
  if (names.includes('scheduler')) {
    const declared = { shared, hash: sharedHash(shared) };
    const scheduler = new Scheduler(context, { declared, snapshot: () => fold.snapshot() });
    services.push(scheduler);
    await scheduler.start();
  }
  if (names.includes('health')) services.push(startHealth(context));
  if (!names.includes('gateway')) return [];
  // A process without a gateway need not load one.
  const { startGateway } = await import('@usher/gateway');
  const listen = local.listen.map(({ tls, ...address }) =>
    tls === undefined ? address : { ...address, tls: tlsSource(tls) },
  );
  const gateway = await startGateway(context, { listen, workers: local.workers }, shared);
  services.push(gateway);
  return gateway.addresses.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`);
}

/** What the admin server shows of the process. */
interface AdminParts {
  readonly services: () => readonly Service[];
  readonly collector: Collector | undefined;
  readonly health: () => HealthReport;
}

async function openAdmin(
  { local }: UsherConfig,
  { context }: Core,
  { services, collector, health }: AdminParts,
): Promise<RunningServer | undefined> {
  if (local.admin === null) return undefined;
  const { log, random } = context;
  const register: AdminServerOptions['register'] = (app) => {
    registerAdminRoutes(app, context, { services });
    if (collector !== undefined) collectorRoutes(app, collector);
  };
  const server = startAdminServer({ ...local.admin, log, random, health, register });
  return await listening('admin.address', local.admin, server);
}

async function openMetrics(
  { local }: UsherConfig,
  { metrics, log }: Core,
  health: () => HealthReport,
): Promise<RunningServer | undefined> {
  if (local.metrics === null) return undefined;
  const server = startMetricsServer({ ...local.metrics, metrics, health, log });
  return await listening('metrics.address', local.metrics, server);
}

function urlOf(server: RunningServer | undefined): string | undefined {
  if (server === undefined) return undefined;
  return `http://${server.host.includes(':') ? `[${server.host}]` : server.host}:${server.port}`;
}
