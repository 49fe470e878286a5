import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Report } from '../soak/report.ts';
import { isReady } from '../support/usher-process.ts';
import { until } from '../support/wait.ts';
import type { Ending } from './client/line.ts';
import { Crowd } from './crowd.ts';
import type { ChaosOptions } from './main.ts';
import { openWebSockets } from './open-web-sockets.ts';
import { SoloUsher } from './solo-usher.ts';

const STOPS = 20;
const QUICK_STOPS = 2;
const LAME_DUCK_MS = 1_000;
const SHUTDOWN_MS = 5_000;
const POLL_MS = 5;
/** How long it has traffic before each SIGTERM. */
const LIFE_MS = 500;
const KEPT_CLIENTS = 24;
const BRIEF_CLIENTS = 8;
const RUDE_CLIENTS = 4;
const POLICY = `timeouts: { lame_duck: ${LAME_DUCK_MS}ms, shutdown: ${SHUTDOWN_MS}ms }
limits: { connections: 20000, upgrades: 10000 }`;

const WEB_SOCKETS = { wire: 1_000, plugin: 200 } as const;
const QUICK_SHARE = 0.1;
const CHANGES = 200;

/** A loaded gateway is told to stop again and again, and its configuration changes around open WebSockets. */
export async function chaos(report: Report, { quick }: ChaosOptions): Promise<void> {
  const solo = await SoloUsher.start({ policy: POLICY });
  await stops(report, solo, quick ? QUICK_STOPS : STOPS);
  await changes(report, solo, quick ? QUICK_SHARE : 1);
  await solo.stop();
}

async function stops(report: Report, { usher, port }: SoloUsher, times: number): Promise<void> {
  await usher.eligible('b0', 'b1', 'b2');
  const polite = new Crowd(port, 'as a balancer', KEPT_CLIENTS, BRIEF_CLIENTS);
  const rude = new Crowd(port, 'regardless', 0, RUDE_CLIENTS);
  let longestMs = 0;
  let slowestNotReadyMs = 0;
  for (let done = 0; done < times; done++) {
    await sleep(LIFE_MS);
    const startMs = performance.now();
    const stopped = usher.stop();
    await until('not ready', async () => !(await isReady(usher.ports.metrics)));
    slowestNotReadyMs = Math.max(slowestNotReadyMs, performance.now() - startMs);
    polite.leaving = rude.leaving = true;
    await stopped;
    longestMs = Math.max(longestMs, performance.now() - startMs);
    await usher.start();
    await usher.eligible('b0', 'b1', 'b2');
    polite.leaving = rude.leaving = false;
  }
  await polite.stop();
  await rude.stop();
  const of = (ending: Ending, crowd = polite): number => crowd.of(ending);
  report.add('stops', times, '');
  report.add('not ready after', slowestNotReadyMs, 'ms', { max: LAME_DUCK_MS / 2 });
  report.add('longest stop', longestMs, 'ms', { max: LAME_DUCK_MS + SHUTDOWN_MS });
  report.add('requests', of(200), '', { min: 100 * times });
  report.add('answered while not ready', polite.late + rude.late, '', { min: times });
  report.add('accepted and lost', of('lost'), '', { max: 0 });
  report.add('accepted and late', of('late') + of('late', rude), '', { max: 0 });
  report.add('refused', of('refused'), '', { max: 0 });
  report.add('answered with an error', polite.errors + rude.errors, '', { max: 0 });
  // What the kernel takes between the last look at its queue and the end of the listener is reset by it.
  report.add('requests of those who go on connecting', of(200, rude), '', { min: times });
  report.add('lost in the queue of the kernel', of('lost', rude), '', { max: times });
  report.add('refused, because nobody listened', of('refused', rude), '');
}

async function changes(report: Report, { usher, port }: SoloUsher, share: number): Promise<void> {
  await usher.eligible('b0', 'b1', 'b2');
  const wire = await openWebSockets(port, '/', WEB_SOCKETS.wire * share);
  const plugin = await openWebSockets(port, '/plugin/', WEB_SOCKETS.plugin * share);
  const config = readFileSync(usher.configFile, 'utf8');
  const revision = async (): Promise<number> => {
    const response = await fetch(`${usher.admin}/v1/status`);
    return ((await response.json()) as { config: { revision: number } }).config.revision;
  };
  const times = CHANGES * share;
  for (let done = 1; done <= times; done++) {
    const before = await revision();
    const other = `routes:\n  - { path: "/other-${done}/*", pool: web, plugins: [{ name: gzip }] }`;
    writeFileSync(usher.configFile, config.replace('routes:', other));
    process.kill(usher.pid, 'SIGHUP');
    await until('the change is in force', async () => (await revision()) > before);
    await sleep(POLL_MS);
  }
  report.add('changes of the configuration', times, '');
  report.add('WebSockets', wire.open + plugin.open + wire.closed + plugin.closed, '', {
    min: (WEB_SOCKETS.wire + WEB_SOCKETS.plugin) * share,
  });
  report.add('WebSockets that were closed', wire.closed + plugin.closed, '', { max: 0 });
  wire.end();
  plugin.end();
}
