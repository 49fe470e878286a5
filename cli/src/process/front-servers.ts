import { connxMetrics, veloMetrics } from '@usher/admin';
import { type Collector, type OpsenServer, startOpsenServer } from '@usher/collector';
import { METRICS_POOL, type UsherConfig } from '@usher/config';
import { type HealthReport, isLoopback, type RunningServer, startMetricsServer } from '@usher/runtime';
import type { Closing } from './closing.ts';
import type { Door } from './doors.ts';
import { listening } from './listening.ts';
import { type AdminParts, doorOf, type InheritOne, openAdmin, openHelios } from './open-admin.ts';
import type { Core } from './open-core.ts';

/** Opens the servers that the configuration asks for, and has `closing` close them. Answers with where they are, and with what can change. */
export async function openServers(
  config: UsherConfig,
  core: Core,
  parts: AdminParts,
  closing: Closing,
): Promise<{
  readonly admin: string | undefined;
  readonly metrics: string | undefined;
  readonly doors: readonly Door[];
}> {
  const { collector, health, inherit } = parts;
  const admin = await openAdmin(config, core.context, parts);
  if (admin !== undefined) closing.add('the admin server', () => admin.close());
  const helios = await openHelios(config, core, parts);
  if (helios !== undefined) closing.add('the Helios API', () => helios.close());
  const opsen = await openOpsen(config, core, collector, inherit);
  if (opsen !== undefined) closing.add('the Opsen API', () => opsen.close());
  const metrics = await openMetrics(config, core, health, inherit);
  if (metrics !== undefined) closing.add('the metrics server', () => metrics.close());
  const doors = [
    ...(admin === undefined ? [] : [doorOf(admin)]),
    ...(helios === undefined ? [] : [doorOf(helios)]),
    ...(opsen === undefined ? [] : [opsenDoor(opsen)]),
  ];
  return { doors, admin: urlOf(admin, config.local.admin?.tls !== undefined), metrics: urlOf(metrics) };
}

function opsenDoor(server: OpsenServer): Door {
  return {
    fault: ({ local: { opsen } }) =>
      opsen?.keys.length === 0 && !isLoopback(server.host)
        ? `${addressText(server)} can be reached from other machines, and there are no keys`
        : undefined,
    admit: ({ local: { opsen } }) => {
      if (opsen !== undefined) server.admit(opsen.keys);
    },
  };
}

/** Only where agents are heard. */
async function openOpsen(
  { local: { opsen } }: UsherConfig,
  { context }: Core,
  collector: Collector | undefined,
  inherit: InheritOne,
): Promise<OpsenServer | undefined> {
  if (opsen === undefined || collector === undefined) return undefined;
  const settings = { ...opsen, socket: await inherit(opsen) };
  return await listening('opsen.address', opsen, startOpsenServer(settings, context, collector));
}

async function openMetrics(
  { local }: UsherConfig,
  { context, metrics, log }: Core,
  health: () => HealthReport,
  inherit: InheritOne,
): Promise<RunningServer | undefined> {
  if (local.metrics === null) return undefined;
  const socket = await inherit(local.metrics);
  const forms = {
    connx: connxMetrics(context, metrics, METRICS_POOL),
    velo: veloMetrics(context, metrics, METRICS_POOL),
  };
  const server = startMetricsServer({ ...local.metrics, socket, metrics, forms, health, log });
  return await listening('metrics.address', local.metrics, server);
}

export function addressText({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function urlOf(server: RunningServer | undefined, isTls = false): string | undefined {
  return server === undefined ? undefined : `${isTls ? 'https' : 'http'}://${addressText(server)}`;
}
