import { setTimeout as sleep } from 'node:timers/promises';
import type { Report } from '../soak/report.ts';
import { Line } from './client/line.ts';
import type { ChaosOptions } from './main.ts';
import { SoloUsher } from './solo-usher.ts';

const CLIENTS = 16;
const OUT_MS = 4_000;
const INTERVAL_MS = 1_000;
const LIMIT_MS = 2_000;
const POLL_MS = 10;
/** Of the budget of retries: a share of the requests, and a few in any case. */
const RETRY_SHARE_MAX = 1.2;
const RETRIES_FREE = 3;
const PATHS = { wire: '/', plugin: '/plugin/' } as const;
const POOLS = {
  'nothing looks': 'health: { type: none }\n    breaker: { enabled: false }\n    retry: { attempts: 3 }',
  'probes and breakers':
    `health: { type: http, path: /healthz, interval: ${INTERVAL_MS}ms, timeout: 500ms }\n` +
    '    retry: { attempts: 3 }',
  'probes, breakers and no panic':
    `health: { type: http, path: /healthz, interval: ${INTERVAL_MS}ms, timeout: 500ms }\n` +
    '    panic: 0%\n    retry: { attempts: 3 }',
} as const;

/** All backends fail at once: retries do not make it worse, and it is over as soon as they are back. */
export async function chaos(report: Report, _options: ChaosOptions): Promise<void> {
  for (const [name, pool] of Object.entries(POOLS)) {
    const solo = await SoloUsher.start({ pool });
    await solo.usher.eligible('b0', 'b1', 'b2');
    for (const [lane, path] of Object.entries(PATHS))
      await outage(report, solo, `${name}, ${lane} lane`, path);
    await solo.stop();
  }
}

async function outage(report: Report, solo: SoloUsher, what: string, path: string): Promise<void> {
  const request = `GET ${path} HTTP/1.1\r\nhost: chaos\r\n\r\n`;
  const before = await attempts(solo);
  await solo.backends.set('cut');
  const endMs = performance.now() + OUT_MS;
  const answers = await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      let requests = 0;
      const line = new Line(solo.port);
      for (; performance.now() < endMs; requests++) {
        if (typeof (await line.ask(request, LIMIT_MS)) !== 'number')
          report.add(`${what}: lost`, 1, '', { max: 0 });
        await sleep(POLL_MS);
      }
      line.close();
      return requests;
    }),
  );
  const requests = answers.reduce((sum, each) => sum + each, 0);
  const made = (await attempts(solo)) - before;
  report.add(`${what}: requests`, requests, '', { min: CLIENTS });
  report.add(`${what}: attempts`, made, '', { max: Math.floor(RETRY_SHARE_MAX * requests) + RETRIES_FREE });
  await solo.backends.set('ok');
  report.add(`${what}: recovered after`, await recovery(solo, request), 'ms', { max: INTERVAL_MS });
  await solo.usher.eligible('b0', 'b1', 'b2');
}

async function attempts(solo: SoloUsher): Promise<number> {
  const { backends } = await solo.backends.counts();
  return backends.reduce((sum, { requests }) => sum + requests, 0);
}

/** How long it takes until a request is answered again. */
async function recovery(solo: SoloUsher, request: string): Promise<number> {
  const startMs = performance.now();
  const line = new Line(solo.port);
  while ((await line.ask(request, LIMIT_MS)) !== 200) await sleep(POLL_MS);
  line.close();
  return performance.now() - startMs;
}
