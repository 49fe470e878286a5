import type { Agent } from 'node:http';
import { wallClock } from '@usher/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Client } from '../h2/testing/client.ts';
import { type Gateway, startGateway } from '../index.ts';
import { policy, pool, route } from '../testing/fixtures.ts';
import { backendAt, TestFleet } from '../testing/fleet.ts';
import { ask, oneConnection, startBackend } from '../testing/http.ts';

// Whole gateways with their threads: a busy machine may take its time.
vi.setConfig({ testTimeout: 30_000 });

const LAME_DUCK_MS = 12_345;

let fleet: TestFleet;
/** Ends the time in which whoever sends traffic finds out. */
let timeIsUp: () => void;
const closing: (() => unknown)[] = [];

const clock = {
  ...wallClock,
  after: (ms: number, callback: () => void) => {
    if (ms !== LAME_DUCK_MS) return wallClock.after(ms, callback);
    timeIsUp = callback;
    return { cancel: () => {} };
  },
};

beforeEach(() => {
  fleet = new TestFleet();
  timeIsUp = () => expect.unreachable('nobody waits');
});
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
  await fleet.close();
});

async function start(lameDuckMs: number): Promise<Gateway & { readonly port: number }> {
  const backend = await startBackend('one');
  closing.push(() => backend.close());
  const { timeouts } = policy();
  const routes = [
    route({ id: 'plugin', path: '/plugin', pool: 'web', plugins: [{ name: 'gzip', options: {} }] }),
    route({ id: 'wire', path: '/*', pool: 'web' }),
  ];
  const settings = policy({ routes, timeouts: { ...timeouts, lameDuckMs } });
  const fallback = { ...settings, pools: [pool()], backends: [backendAt('one', backend.url)] };
  const listen = [{ host: '127.0.0.1', port: 0 }];
  const gateway = await startGateway(fleet.context({ clock }), { listen, workers: 2 }, fallback);
  closing.push(() => gateway.stop());
  return Object.assign(gateway, { port: gateway.addresses[0]!.port });
}

function connection(): Agent {
  const agent = oneConnection();
  closing.push(() => agent.destroy());
  return agent;
}

test.each(['/', '/plugin'])('a gateway that leaves serves %s and keeps no connection', async (path) => {
  const gateway = await start(LAME_DUCK_MS);
  const agent = connection();
  const ask1 = () => ask(gateway.port, { path, agent });
  expect((await ask1()).headers.connection).not.toBe('close');
  const left = gateway.leave();
  await vi.waitFor(async () => expect((await ask1()).headers.connection).toBe('close'), 10_000);
  for (let each = 0; each < 5; each++) {
    const { status, headers } = await ask(gateway.port, { path, agent: connection() });
    expect({ status, connection: headers.connection }).toEqual({ status: 200, connection: 'close' });
  }
  timeIsUp();
  await left;
  await gateway.stop();
  await expect(ask(gateway.port, { path })).rejects.toThrow('ECONNREFUSED');
});

test('a connection that is idle when the gateway leaves has its next request answered', async () => {
  const gateway = await start(LAME_DUCK_MS);
  const [idle, next] = [connection(), connection()];
  await ask(gateway.port, { agent: idle });
  const left = gateway.leave();
  await vi.waitFor(async () =>
    expect((await ask(gateway.port, { agent: next })).headers.connection).toBe('close'),
  );
  expect((await ask(gateway.port, { agent: idle })).text).toBe('one');
  timeIsUp();
  await left;
});

test('requests over HTTP/2 are served while the gateway leaves', async () => {
  const gateway = await start(LAME_DUCK_MS);
  const client = await new Client(`http://127.0.0.1:${gateway.port}`).connected();
  closing.push(() => client.close());
  const left = gateway.leave();
  for (let each = 0; each < 5; each++) expect((await client.ask('/')).status).toBe(200);
  timeIsUp();
  await left;
});

test('without such a time it leaves at once, and says so to nobody', async () => {
  const gateway = await start(0);
  const agent = connection();
  await gateway.leave();
  const { status, headers } = await ask(gateway.port, { agent });
  expect(status).toBe(200);
  expect(headers.connection).not.toBe('close');
});
