import { setTimeout as sleep } from 'node:timers/promises';
import type { Report } from '../soak/report.ts';
import { ChaosFleet } from './chaos-fleet.ts';
import type { ChaosOptions } from './main.ts';

const GATEWAYS = 4;
const BACKENDS = 50;
const INTERVAL_MS = 1_000;
const SECONDS = 20;
const QUICK_SECONDS = 5;
const SHARE_MAX = 1.3;

/** Whole gateways with the service that probes in each: one probes for all of them. */
export async function chaos(report: Report, { seconds, quick }: ChaosOptions): Promise<void> {
  const fleet = await ChaosFleet.start({
    nats: 'single',
    gateways: GATEWAYS,
    gatewayRuns: 'gateway,health',
    backends: BACKENDS,
    pool: `health: { type: http, path: /healthz, interval: ${INTERVAL_MS}ms, timeout: 500ms }`,
  });
  await fleet.service('scheduler').eligible(...Array.from({ length: BACKENDS }, (_, place) => `b${place}`));
  const forS = seconds ?? (quick ? QUICK_SECONDS : SECONDS);
  const before = await probes(fleet);
  const startMs = performance.now();
  await sleep(1_000 * forS);
  const made = (await probes(fleet)) - before;
  const perS = (1_000 * made) / (performance.now() - startMs);
  report.add('probes', perS, '/s', {
    max: (SHARE_MAX * BACKENDS * 1_000) / INTERVAL_MS,
    min: (0.7 * BACKENDS * 1_000) / INTERVAL_MS,
  });
  await fleet.stop();
}

async function probes(fleet: ChaosFleet): Promise<number> {
  const { backends } = await fleet.backends.counts();
  return backends.reduce((sum, each) => sum + each.probes, 0);
}
