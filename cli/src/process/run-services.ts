import { join } from 'node:path';
import { startCollector } from '@usher/collector';
import { type LocalSettings, readSecret, sharedHash, tlsSource, type UsherConfig } from '@usher/config';
import type { SharedSettings } from '@usher/domain';
import type { Gateway, Inherit } from '@usher/gateway';
import { startHealth } from '@usher/health';
import type { Service } from '@usher/ports';
import { dnsResolver, healthReport, type Phase } from '@usher/runtime';
import { Scheduler } from '@usher/scheduler';
import { backendFiles } from './backend-files.ts';
import { Closing } from './closing.ts';
import { ConfigHealth } from './config-health.ts';
import { configPreviews } from './config-previews.ts';
import { admission, type Door } from './doors.ts';
import { addressText, openServers } from './front-servers.ts';
import type { Give } from './heir-outbox.ts';
import type { InheritOne } from './open-admin.ts';
import { type Core, openCore } from './open-core.ts';
import { ownAddresses } from './own-addresses.ts';
import type { Predecessor } from './predecessor.ts';
import type { ServiceName } from './service-names.ts';
import { watchOutages } from './watch-outages.ts';

/** A process with its services, all up. */
export interface Running {
  readonly addresses: readonly string[];
  readonly admin: string | undefined;
  readonly metrics: string | undefined;
  readonly core: Core;
  /** Goes by the listeners, the shared settings and those who may call of another configuration. Rejects, with everything as it was, when it cannot. */
  readonly apply: (config: UsherConfig) => Promise<void>;
  /** Is to be told whether a changed configuration was taken up. */
  readonly configHealth: ConfigHealth;
  /** What the gateway is called in the fleet. */
  readonly gatewayName: string;
  /** Gives the log up for another process; of the services only the gateway goes on. */
  releaseLog(): Promise<void>;
  /** Leaves the traffic to another process, which listens on the same sockets, finishes what is under way, and stops. */
  cede(give: Give): Promise<void>;
  /** `leave`: whoever sends traffic here gets time to find out first. Default: no. */
  stop(options?: { readonly leave?: boolean }): Promise<void>;
}

/** What the process was started with and in. */
interface Origin {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Reads a text as if it were in its configuration file. Throws ConfigError. */
  readonly read: (text: string) => Promise<UsherConfig>;
  readonly predecessor: Predecessor | undefined;
}

/** What can change while it runs; each is there if the process has that service. */
interface Changeable {
  gateway?: Gateway;
  scheduler?: Scheduler;
  /** What they go by since it changed. */
  config?: UsherConfig;
}

/**
 * Starts the named services on one set of ports, with the operations and admin servers in front. The order matters
 * little to them (each waits for the log, not for the others), but the gateway comes last so that it finds a
 * configuration in the log.
 */
export async function runServices(
  config: UsherConfig,
  names: readonly ServiceName[],
  { env, read, predecessor }: Origin,
): Promise<Running> {
  // Of a log in files there can be one user at a time.
  if (config.local.bus.type === 'embedded') await predecessor?.takeLog();
  const core = await openCore(config.local);
  const services: Service[] = [];
  const changeable: Changeable = {};
  const servers = new Closing();
  let phase: Phase = 'starting';
  const outages = watchOutages(core.context);
  const configHealth = new ConfigHealth(core.context);
  const health = () => healthReport(phase, [core.watch, configHealth.health, ...services], outages.current);
  const stop: Running['stop'] = async ({ leave = false } = {}) => {
    phase = 'stopping';
    outages.stop();
    if (leave) await changeable.gateway?.leave();
    // The gateway first: it drains while everything that it relies on still works.
    await stopAll(services, core);
    await servers.run(core.log);
    await core.close();
  };
  const releaseLog = async () => {
    const { gateway } = changeable;
    const others = services.filter((service) => service !== gateway);
    outages.stop();
    await stopAll(others, core);
    services.splice(0, Infinity, ...(gateway === undefined ? [] : [gateway]));
    await core.releaseLog();
  };
  const cede: Running['cede'] = async (give) => {
    phase = 'stopping';
    core.endow(give);
    await servers.run(core.log);
    await changeable.gateway?.listen([]);
    await stop({ leave: true });
  };
  try {
    const collector = names.includes('collector') ? startCollector(core.context) : undefined;
    if (collector !== undefined) services.push(collector);
    await startRest(config, names, core, services, changeable);
    if (names.includes('gateway'))
      services.push(await startTraffic(config, core, changeable, env, predecessor));
    const previews = configPreviews(config, () => changeable.config ?? config, read, core.context);
    const own = { health, outages, previews, inherit: inheritanceOf(predecessor) };
    const front = { ...own, services: () => [configHealth.status, ...services], collector };
    const { doors, ...urls } = await openServers(config, core, front, servers);
    predecessor?.relieve(core.context.outbox);
    predecessor?.sockets.close();
    phase = 'running';
    const apply = (next: UsherConfig) => applyTo(changeable, doors, next);
    return {
      addresses: (changeable.gateway?.addresses ?? []).map(addressText),
      ...urls,
      core,
      apply,
      configHealth,
      gatewayName: nameOfGateway(config, predecessor),
      releaseLog,
      cede,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function inheritanceOf(predecessor: Predecessor | undefined): InheritOne {
  return async (address) => (await predecessor?.sockets.take(address))?.[0];
}

async function stopAll(services: readonly Service[], { log }: Core): Promise<void> {
  const closing = new Closing();
  for (const service of services) closing.add(service.name, () => service.stop());
  await closing.run(log);
}

function nameOfGateway({ local }: UsherConfig, predecessor: Predecessor | undefined): string {
  return predecessor?.gatewayName(local.name) ?? local.name;
}

/** Starts the other services in order, adding each to `services`. */
async function startRest(
  { local, shared }: UsherConfig,
  names: readonly ServiceName[],
  { context, fold }: Core,
  services: Service[],
  changeable: Changeable,
): Promise<void> {
  if (names.includes('scheduler')) {
    const scheduler = new Scheduler(context, {
      declared: declaredBy(shared),
      snapshot: () => fold.snapshot(),
      discovery: { resolver: dnsResolver, files: backendFiles(context.clock, context.log) },
      own: ownAddresses(local),
    });
    services.push(scheduler);
    changeable.scheduler = scheduler;
    await scheduler.start();
  }
  if (names.includes('health')) services.push(startHealth(context));
}

async function startTraffic(
  config: UsherConfig,
  { context }: Core,
  changeable: Changeable,
  env: Origin['env'],
  predecessor: Predecessor | undefined,
): Promise<Gateway> {
  const { local, shared } = config;
  // A process without a gateway need not load one.
  const { startGateway } = await import('@usher/gateway');
  const secrets = {
    secretOf: (reference: string) => readSecret(reference, env),
    // A store that is in this process forgets with it.
    keyFile: local.store.type === 'embedded' ? join(local.data, 'cookies.key') : undefined,
  };
  const geoipDatabase = local.geoip?.database;
  const inherit: Inherit | undefined = predecessor && ((address) => predecessor.sockets.take(address));
  const { workers, debugToken, overload } = local;
  const countsMethods = local.metrics?.format === 'connx';
  const own = { secrets, geoipDatabase, debugToken, countsMethods, overload, inherit };
  const settings = { listen: listenersOf(local), workers, ...own };
  const instance = nameOfGateway(config, predecessor);
  const gateway = await startGateway({ ...context, instance }, settings, shared);
  changeable.gateway = gateway;
  return gateway;
}

async function applyTo(changeable: Changeable, doors: readonly Door[], config: UsherConfig): Promise<void> {
  const { local, shared } = config;
  const admit = admission(doors, config);
  await changeable.gateway?.listen(listenersOf(local));
  admit();
  changeable.scheduler?.declare(declaredBy(shared));
  changeable.config = config;
}

function listenersOf({ listen }: LocalSettings) {
  return listen.map(({ tls, ...address }) =>
    tls === undefined ? address : { ...address, tls: tlsSource(tls) },
  );
}

function declaredBy(shared: SharedSettings) {
  return { shared, hash: sharedHash(shared) };
}
