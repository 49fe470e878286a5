import { join } from 'node:path';
import { connxMetrics, veloMetrics } from '@usher/admin';
import { type Collector, startCollector, startOpsenServer } from '@usher/collector';
import { type LocalSettings, readSecret, sharedHash, tlsSource, type UsherConfig } from '@usher/config';
import type { SharedSettings } from '@usher/domain';
import type { Gateway } from '@usher/gateway';
import { startHealth } from '@usher/health';
import type { Service } from '@usher/ports';
import {
  type HealthReport,
  healthReport,
  type Phase,
  type RunningServer,
  startMetricsServer,
} from '@usher/runtime';
import { Scheduler } from '@usher/scheduler';
import { Closing } from './closing.ts';
import { listening } from './listening.ts';
import { openAdmin, openHelios } from './open-admin.ts';
import { type Core, openCore } from './open-core.ts';
import type { ServiceName } from './service-names.ts';
import { watchOutages } from './watch-outages.ts';

/** A process with its services, all up. */
export interface Running {
  readonly addresses: readonly string[];
  readonly admin: string | undefined;
  readonly metrics: string | undefined;
  readonly core: Core;
  /** Goes by the listeners and the shared settings of another configuration. Rejects, with everything as it was, when it cannot. */
  readonly apply: (config: UsherConfig) => Promise<void>;
  /** `leave`: whoever sends traffic here gets time to find out first. Default: no. */
  stop(options?: { readonly leave?: boolean }): Promise<void>;
}

/** The environment of the process. */
type Environment = Readonly<Record<string, string | undefined>>;

/** What can change while it runs; each is there if the process has that service. */
interface Changeable {
  gateway?: Gateway;
  scheduler?: Scheduler;
}

/**
 * Starts the named services on one set of ports, with the operations and admin servers in front. The order matters
 * little to them (each waits for the log, not for the others), but the gateway comes last so that it finds a
 * configuration in the log.
 */
export async function runServices(
  config: UsherConfig,
  names: readonly ServiceName[],
  env: Environment,
): Promise<Running> {
  const core = await openCore(config.local);
  const services: Service[] = [];
  const changeable: Changeable = {};
  const servers = new Closing();
  let phase: Phase = 'starting';
  const outages = watchOutages(core.context);
  const health = () => healthReport(phase, [core.watch, ...services], outages.current);
  const stop: Running['stop'] = async ({ leave = false } = {}) => {
    phase = 'stopping';
    outages.stop();
    if (leave) await changeable.gateway?.leave();
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
    await startRest(config, names, core, services, changeable);
    if (names.includes('gateway')) services.push(await startTraffic(config, core, changeable, env));
    const admin = await openAdmin(config, core.context, {
      services: () => services,
      collector,
      health,
      outages,
    });
    if (admin !== undefined) servers.add('the admin server', () => admin.close());
    const helios = await openHelios(config, core, health);
    if (helios !== undefined) servers.add('the Helios API', () => helios.close());
    const opsen = await openOpsen(config, core, collector);
    if (opsen !== undefined) servers.add('the Opsen API', () => opsen.close());
    const metrics = await openMetrics(config, core, health);
    if (metrics !== undefined) servers.add('the metrics server', () => metrics.close());
    phase = 'running';
    const addresses = (changeable.gateway?.addresses ?? []).map(addressText);
    const apply = (next: UsherConfig) => applyTo(changeable, next);
    const adminUrl = urlOf(admin, config.local.admin?.tls !== undefined);
    return { addresses, admin: adminUrl, metrics: urlOf(metrics), core, apply, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Starts the other services in order, adding each to `services`. */
async function startRest(
  { shared }: UsherConfig,
  names: readonly ServiceName[],
  { context, fold }: Core,
  services: Service[],
  changeable: Changeable,
): Promise<void> {
  if (names.includes('scheduler')) {
    const scheduler = new Scheduler(context, {
      declared: declaredBy(shared),
      snapshot: () => fold.snapshot(),
    });
    services.push(scheduler);
    changeable.scheduler = scheduler;
    await scheduler.start();
  }
  if (names.includes('health')) services.push(startHealth(context));
}

async function startTraffic(
  { local, shared }: UsherConfig,
  { context }: Core,
  changeable: Changeable,
  env: Environment,
): Promise<Gateway> {
  // A process without a gateway need not load one.
  const { startGateway } = await import('@usher/gateway');
  const secrets = {
    secretOf: (reference: string) => readSecret(reference, env),
    // A store that is in this process forgets with it.
    keyFile: local.store.type === 'embedded' ? join(local.data, 'cookies.key') : undefined,
  };
  const geoipDatabase = local.geoip?.database;
  const { workers, debugToken, overload } = local;
  const settings = { listen: listenersOf(local), workers, secrets, geoipDatabase, debugToken, overload };
  const gateway = await startGateway(context, settings, shared);
  changeable.gateway = gateway;
  return gateway;
}

async function applyTo({ gateway, scheduler }: Changeable, { local, shared }: UsherConfig): Promise<void> {
  await gateway?.listen(listenersOf(local));
  scheduler?.declare(declaredBy(shared));
}

function listenersOf({ listen }: LocalSettings) {
  return listen.map(({ tls, ...address }) =>
    tls === undefined ? address : { ...address, tls: tlsSource(tls) },
  );
}

function declaredBy(shared: SharedSettings) {
  return { shared, hash: sharedHash(shared) };
}

function addressText({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Only where agents are heard. */
async function openOpsen(
  { local: { opsen } }: UsherConfig,
  { context }: Core,
  collector: Collector | undefined,
): Promise<RunningServer | undefined> {
  if (opsen === undefined || collector === undefined) return undefined;
  return await listening('opsen.address', opsen, startOpsenServer(opsen, context, collector));
}

async function openMetrics(
  { local }: UsherConfig,
  { context, metrics, log }: Core,
  health: () => HealthReport,
): Promise<RunningServer | undefined> {
  if (local.metrics === null) return undefined;
  const forms = { connx: connxMetrics(context, metrics), velo: veloMetrics(context, metrics) };
  const server = startMetricsServer({ ...local.metrics, metrics, forms, health, log });
  return await listening('metrics.address', local.metrics, server);
}

function urlOf(server: RunningServer | undefined, isTls = false): string | undefined {
  return server === undefined ? undefined : `${isTls ? 'https' : 'http'}://${addressText(server)}`;
}
