import { setTimeout as sleep } from 'node:timers/promises';
import type { Report } from '../soak/report.ts';
import type { UsherProcess } from '../support/usher-process.ts';
import { until } from '../support/wait.ts';
import { ChaosFleet } from './chaos-fleet.ts';
import { Crowd } from './crowd.ts';
import type { ChaosOptions } from './main.ts';
import { SoloUsher } from './solo-usher.ts';

const RESTARTS = 20;
const QUICK_RESTARTS = 2;
const KEPT_CLIENTS = 24;
const BRIEF_CLIENTS = 12;
/** Between two restarts. */
const LIFE_MS = 300;

interface Case {
  readonly gateway: UsherProcess;
  stop(): Promise<void>;
}

const CASES: Readonly<Record<string, () => Promise<Case>>> = {
  'one process': async () => {
    const solo = await SoloUsher.start({});
    return { gateway: solo.usher, stop: () => solo.stop() };
  },
  'a fleet': async () => {
    const fleet = await ChaosFleet.start({ nats: 'single' });
    return { gateway: fleet.service('gateway-1'), stop: () => fleet.stop() };
  },
};

/** A loaded gateway hands over to a new process again and again, and nobody notices. */
export async function chaos(report: Report, { quick, only = '' }: ChaosOptions): Promise<void> {
  for (const [name, start] of Object.entries(CASES)) {
    if (!name.includes(only)) continue;
    const running = await start();
    await restarts(report, name, running.gateway, quick ? QUICK_RESTARTS : RESTARTS);
    await running.stop();
  }
}

async function restarts(report: Report, name: string, gateway: UsherProcess, times: number): Promise<void> {
  await gateway.eligible('b0', 'b1', 'b2');
  const crowd = new Crowd(gateway.ports.traffic, 'regardless', KEPT_CLIENTS, BRIEF_CLIENTS);
  let longestMs = 0;
  for (let done = 0; done < times; done++) {
    await sleep(LIFE_MS);
    const startMs = performance.now();
    await gateway.hotRestart();
    longestMs = Math.max(longestMs, performance.now() - startMs);
  }
  await crowd.stop();
  const answers = crowd.of(200);
  const events = await until('the log has it all', async () => {
    const all = await eventsOf(gateway);
    return requestsIn(all) >= answers ? all : undefined;
  }).catch(() => eventsOf(gateway));
  report.add(`${name}: hot restarts`, times, '');
  report.add(`${name}: the longest`, longestMs, 'ms');
  report.add(`${name}: requests`, answers, '', { min: 50 * times });
  report.add(`${name}: refused`, crowd.of('refused'), '', { max: 0 });
  report.add(`${name}: lost`, crowd.of('lost'), '', { max: 0 });
  report.add(`${name}: late`, crowd.of('late'), '', { max: 0 });
  report.add(`${name}: answered with an error`, crowd.errors, '', { max: 0 });
  report.add(`${name}: requests in the log`, requestsIn(events), '', { min: answers, max: answers });
  const lost = events.filter(({ type }) => type === 'gateway.lost').length;
  report.add(`${name}: gateways that are taken for lost`, lost, '', { max: 0 });
}

interface Event {
  readonly type: string;
  readonly data: { readonly requests?: number };
}

async function eventsOf(gateway: UsherProcess): Promise<readonly Event[]> {
  const { stdout } = await gateway.run('events', 'export');
  const lines = stdout.split('\n').filter((line) => line !== '');
  return lines.flatMap((line) => (JSON.parse(line) as { readonly events: readonly Event[] }).events);
}

function requestsIn(events: readonly Event[]): number {
  return events
    .filter(({ type }) => type === 'gateway.observed')
    .reduce((sum, { data }) => sum + (data.requests ?? 0), 0);
}
