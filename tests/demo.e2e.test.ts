import { tempDir } from '@usher/testing';
import { beforeAll, expect, test } from 'vitest';
import { end, ROOT, type Started, start, usherJson } from './support/command.ts';
import { bodies, Load } from './support/load.ts';
import { freePorts, type Ports } from './support/ports.ts';
import { type BackendRow, isReady } from './support/usher-process.ts';
import { until } from './support/wait.ts';

const NAMES = ['demo-1', 'demo-2', 'demo-3'];
const REQUESTS = 5_000;

const directory = tempDir();
let ports: Ports;
let demo: Started;

beforeAll(async () => {
  ports = await freePorts();
  const settings = [
    `listen=["127.0.0.1:${ports.traffic}"]`,
    `admin.address=127.0.0.1:${ports.admin}`,
    `metrics.address=127.0.0.1:${ports.metrics}`,
    `data=${directory.path}`,
  ];
  demo = start('npm', ['start', '--', ...settings.flatMap((each) => ['--set', each])], ROOT);
  await until('the demo is ready', () => isReady(ports.metrics));
  await until('all backends are eligible', async () =>
    (await backends()).every(({ eligibility }) => eligibility === 'ok'),
  );
  return async () => {
    await end(demo, 'SIGTERM');
    directory.remove();
  };
});

const traffic = () => `http://127.0.0.1:${ports.traffic}/`;
/** The demo's answers end in the name of the backend. */
const nameIn = (body: string) => /demo-\d/.exec(body)?.[0] ?? body;

async function backends(): Promise<readonly BackendRow[]> {
  return await usherJson<readonly BackendRow[]>(['backends', '--admin', `http://127.0.0.1:${ports.admin}`]);
}

test('npm start without a configuration answers by three backends in turn', async () => {
  const names = (await bodies(traffic(), 9)).map(nameIn);
  expect(new Set(names.slice(0, 3)), names.join()).toEqual(new Set(NAMES));
  expect(names).toEqual([...names.slice(0, 3), ...names.slice(0, 3), ...names.slice(0, 3)]);
});

test('a backend that is killed under load costs no request, and is taken back when it returns', async () => {
  const [, victim] = /kill -9 (\d+)/.exec(demo.output()) ?? [];
  const load = new Load([traffic()], { connections: 32, requests: REQUESTS });
  await until('a fifth of the load is answered', () => load.tally.ok > REQUESTS / 5);
  process.kill(Number(victim), 'SIGKILL');
  const { ok, failures } = await load.done;
  expect(failures).toEqual([]);
  expect(ok).toBe(REQUESTS);
  await until('the killed backend answers again', async () => {
    const names = (await bodies(traffic(), 3)).map(nameIn);
    return new Set(names).size === NAMES.length;
  });
});

test('SIGTERM to npm ends everything in order', async () => {
  const urls = (await backends()).map(({ url }) => url);
  expect(urls).toHaveLength(NAMES.length);
  await end(demo, 'SIGTERM');
  for (const url of [traffic(), `http://127.0.0.1:${ports.admin}/v1/health`, ...urls]) {
    await expect(fetch(url), url).rejects.toThrow('fetch failed');
  }
});
