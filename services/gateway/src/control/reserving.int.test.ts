import { Agent, type ServerResponse } from 'node:http';
import { NO_RESOURCES, type PoolSettings } from '@usher/domain';
import type { StateStore } from '@usher/ports';
import { openEmbeddedStore, openRedisStore } from '@usher/state-store';
import { RecordingLog, startRedisServer, wallClock } from '@usher/testing';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { startGateway } from '../index.ts';
import { policy, pool, route } from '../testing/fixtures.ts';
import { backendAt, TestFleet } from '../testing/fleet.ts';
import { ask, startBackend, until } from '../testing/http.ts';

// Whole gateways with their threads, and tens of thousands of requests: a busy machine may take its time.
vi.setConfig({ testTimeout: 300_000 });

const GATEWAYS = 4;
const ROUNDS = 50;
const REQUESTS = 1000;
/** Cores of the backends, and as many requests that fit. */
const CORES = [3, 2, 2];
const SLOTS = 7;

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

/** What backends have to answer as soon as the test says so. */
class Kept {
  readonly responses: ServerResponse[] = [];
  most = 0;

  keep(response: ServerResponse): void {
    this.responses.push(response);
    this.most = Math.max(this.most, this.responses.length);
  }

  answer(): void {
    for (const response of this.responses.splice(0)) response.end('served');
  }
}

const TIERS = [{ name: 'one', resources: { ...NO_RESOURCES, milliCpu: 1000 } }];
const routes = [route({ id: 'all', path: '/*', pool: 'web', tier: { fieldBytesMax: 0, default: 'one' } })];

/** In what is said to those who were refused because the store did not answer in time, which a busy machine can cause. */
const UNANSWERED = 'does not answer';

interface Reserving {
  readonly ports: readonly number[];
  readonly stores: readonly StateStore[];
}

async function gatewaysWith(
  settings: Partial<PoolSettings>,
  cores: readonly number[],
  storeOf: () => Promise<StateStore>,
  onRequest: (response: ServerResponse) => void,
): Promise<Reserving> {
  const fleet = new TestFleet();
  closing.push(() => fleet.close());
  const backends = [];
  for (const [index, count] of cores.entries()) {
    const id = `b${index + 1}`;
    const backend = await startBackend(id, (_request, response) => onRequest(response));
    closing.push(() => backend.close());
    const capacity = { ...NO_RESOURCES, milliCpu: 1000 * count };
    backends.push(backendAt(id, backend.url, { capacity }));
  }
  const pools = [pool({ tiers: TIERS, reserve: 'request', reserveWithoutStore: 'closed', ...settings })];
  await fleet.configure(backends, { pools, routes });
  const fallback = { ...policy({ routes }), pools: [], backends: [] };
  const ports = [];
  const stores = [];
  for (let each = 1; each <= GATEWAYS; each++) {
    const store = await storeOf();
    const instance = `gw-${each}`;
    const context = fleet.context({ instance, owner: instance, store });
    const listen = [{ host: '127.0.0.1', port: 0 }];
    const gateway = await startGateway(context, { listen, workers: 1 }, fallback);
    closing.push(() => gateway.stop());
    ports.push(gateway.addresses[0]!.port);
    stores.push(store);
  }
  await until(() => fleet.seen('gateway.started').length === GATEWAYS, 'all gateways are known');
  return { ports, stores };
}

async function redisStores(): Promise<() => Promise<StateStore>> {
  const server = await startRedisServer();
  closing.push(() => server.stop());
  return async () => {
    const store = await openRedisStore({ url: server.url, clock: wallClock, log: new RecordingLog() });
    closing.push(() => store.close());
    return store;
  };
}

async function oneStore(): Promise<() => Promise<StateStore>> {
  const store = openEmbeddedStore({ clock: wallClock });
  closing.push(() => store.close());
  return async () => store;
}

/** Status of a request that is repeated while the store does not answer in time. */
async function served(port: number, agent?: Agent): Promise<number> {
  for (;;) {
    const { status, text } = await ask(port, agent === undefined ? {} : { agent });
    if (status !== 503 || !text.includes(UNANSWERED)) return status;
  }
}

async function live(store: StateStore): Promise<number> {
  return (await store.reservations.list('web')).allocations.length;
}

describe.each([
  ['Redis', redisStores],
  ['the embedded store', oneStore],
])('four gateways that reserve in %s', (_name, storesOf) => {
  test('serve as many of a thousand requests at once as there is room for, and no more', async () => {
    const kept = new Kept();
    // None waits.
    const queue = { max: 0, timeoutMs: 1 };
    const { ports, stores } = await gatewaysWith({ queue }, CORES, await storesOf(), (response) =>
      kept.keep(response),
    );
    const agents = ports.map(() => new Agent({ keepAlive: true }));
    closing.push(() => agents.forEach((agent) => agent.destroy()));
    let exact = 0;
    for (let round = 1; exact < ROUNDS && round <= 2 * ROUNDS; round++) {
      const refused: string[] = [];
      const statuses: number[] = [];
      const all = Array.from({ length: REQUESTS }, async (_, index) => {
        const at = index % GATEWAYS;
        const { status, text } = await ask(ports[at]!, { agent: agents[at]! });
        statuses.push(status);
        if (status !== 200) refused.push(text);
      });
      const settled = (): boolean => statuses.length + kept.responses.length === REQUESTS;
      await until(settled, `round ${round}: all requests are refused, or kept by a backend`);
      expect(new Set(statuses)).toEqual(new Set([503]));
      // A place whose reservation was not answered in time is nobody's until the store was asked again.
      const answered = refused.every((text) => !text.includes(UNANSWERED));
      if (answered) expect(kept.responses).toHaveLength(SLOTS);
      else expect(kept.responses.length).toBeLessThanOrEqual(SLOTS);
      if (answered) exact += 1;
      kept.answer();
      await Promise.all(all);
      await until(async () => (await live(stores[0]!)) === 0, `round ${round}: everything is given back`);
    }
    expect(exact).toBe(ROUNDS);
    expect(kept.most).toBe(SLOTS);
  });

  test('let those wait for whom there is no room, and serve all of them in the end', async () => {
    let atOnce = 0;
    let most = 0;
    const queue = { max: REQUESTS, timeoutMs: 120_000 };
    const { ports, stores } = await gatewaysWith({ queue }, CORES, await storesOf(), (response) => {
      atOnce += 1;
      most = Math.max(most, atOnce);
      setTimeout(() => {
        atOnce -= 1;
        response.end('served');
      }, 2);
    });
    const all = Array.from({ length: REQUESTS }, (_, index) => served(ports[index % GATEWAYS]!));
    const statuses = await Promise.all(all);
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(most).toBe(SLOTS);
    await until(async () => (await live(stores[0]!)) === 0, 'everything is given back');
  });

  test('never lack capacity for eight requests at a time on a backend with eight cores', async () => {
    const { ports } = await gatewaysWith({}, [8], await storesOf(), (response) => response.end('served'));
    const agents = ports.map(() => new Agent({ keepAlive: true }));
    closing.push(() => agents.forEach((agent) => agent.destroy()));
    let left = 10_000;
    const statuses = new Map<number, number>();
    const client = async (index: number): Promise<void> => {
      const at = index % GATEWAYS;
      for (; left > 0; ) {
        left -= 1;
        const status = await served(ports[at]!, agents[at]);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    };
    await Promise.all(Array.from({ length: 8 }, (_, index) => client(index)));
    expect(statuses).toEqual(new Map([[200, 10_000]]));
  });
});
