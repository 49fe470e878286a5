import { afterEach, expect, vi } from 'vitest';
import { until } from '../../services/gateway/src/testing/http.ts';
import { testRows } from '../support/page-rows.ts';
import { Started } from './foreign-gateway.ts';

// Whole gateways with their threads: a busy machine may take its time.
vi.setConfig({ testTimeout: 60_000 });

const started = new Started();
afterEach(async () => await started.end());

interface System {
  readonly format: string;
  /** A file with these backends. */
  readonly file: (strategy: string, backends: readonly Weighted[]) => object;
}

interface Weighted {
  readonly id: string;
  readonly url: string;
  readonly weight: number;
}

const SYSTEMS = {
  helios: {
    format: 'helios',
    file: (strategy, backends) => ({
      server: { port: 8080 },
      backends: backends.map(({ id, url, weight }) => ({ name: id, address: url, weight })),
      load_balancer: { strategy },
    }),
  },
  connx: {
    format: 'connx',
    file: (algorithm, backends) => ({
      server: { port: 8080 },
      backends: backends.map(({ url, weight }) => ({ url, weight })),
      loadBalancing: { algorithm },
    }),
  },
  velo: {
    format: 'velo',
    file: (strategy, backends) => ({ backends: { urls: backends.map(({ url }) => url) }, strategy }),
  },
  'load-balancer': {
    format: 'load-balancer',
    file: (algorithm, backends) => ({ listen: { port: 8080 }, algorithm, backends }),
  },
} as const satisfies Record<string, System>;

/** A gateway by a system's strategy, with a backend for each of these weights, which answer with their names. */
async function start({ format, file }: System, strategy: string, weights: readonly number[]) {
  const gate = Promise.withResolvers<void>();
  const backends: Weighted[] = [];
  for (const [index, weight] of weights.entries()) {
    const id = `b${index}`;
    const { url } = await started.backend(id, (request, response) => {
      if (request.url === '/held') void gate.promise.then(() => response.end(id));
      else response.end(id);
    });
    backends.push({ id, url, weight });
  }
  const gateway = await started.gateway(JSON.stringify(file(strategy, backends)), format);
  return { gateway, release: () => gate.resolve() };
}

function countsOf(names: readonly string[]): readonly number[] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts.values()].toSorted((a, b) => b - a);
}

/** Backends have their turns in the same order again and again. */
async function inTurn(system: System, strategy: string): Promise<void> {
  const { gateway } = await start(system, strategy, [1, 1, 1, 1]);
  const names = await gateway.names(12);
  expect(new Set(names.slice(0, 4)).size).toBe(4);
  expect(names.slice(4, 8)).toEqual(names.slice(0, 4));
  expect(names.slice(8)).toEqual(names.slice(0, 4));
}

/** Who has a request under way gets no other one as long as somebody has none. */
async function fewestUnderWay(system: System, strategy: string): Promise<void> {
  const { gateway, release } = await start(system, strategy, [1, 1, 1]);
  const held = gateway.ask({ path: '/held' });
  const second = gateway.ask({ path: '/held' });
  await until(async () => (await gateway.underWay()) === 2, 'two are under way');
  const [idle] = await gateway.names(1);
  expect(await gateway.names(6)).toEqual(Array.from({ length: 6 }, () => idle));
  release();
  const busy = [(await held).text, (await second).text];
  expect(new Set([...busy, idle]).size).toBe(3);
}

/** Of as many requests as the weights are together, each gets as many as its own, and the heaviest not all at once. */
async function byWeight(system: System, strategy: string, weights: readonly number[]): Promise<void> {
  const { gateway } = await start(system, strategy, weights);
  const round = weights.reduce((sum, weight) => sum + weight, 0);
  const names = await gateway.names(2 * round);
  for (const part of [names.slice(0, round), names.slice(round)])
    for (const [index, weight] of weights.entries())
      expect(part.filter((name) => name === `b${index}`)).toHaveLength(weight);
  if (round > weights.length) expect(new Set(names.slice(0, Math.max(...weights))).size).toBeGreaterThan(1);
}

const ADDRESSES = Array.from({ length: 60 }, (_, index) => `127.0.0.${index + 2}`);

/** A client has one backend; answers with each one's. */
async function byAddress(system: System, strategy: string) {
  const { gateway } = await start(system, strategy, [1, 1, 1, 1]);
  const served = async () =>
    await Promise.all(ADDRESSES.map(async (localAddress) => (await gateway.ask({ localAddress })).text));
  const first = await served();
  expect(countsOf(first)).toHaveLength(4);
  expect(await served()).toEqual(first);
  return { gateway, served, first };
}

testRows('helios', 'Strategies', {
  round_robin: async () => await inTurn(SYSTEMS.helios, 'round_robin'),
  least_connections: async () => await fewestUnderWay(SYSTEMS.helios, 'least_connections'),
  weighted_round_robin: async () => await byWeight(SYSTEMS.helios, 'weighted_round_robin', [5, 2, 1]),
  ip_hash: async () => {
    await byAddress(SYSTEMS.helios, 'ip_hash');
  },
  ip_hash_consistent: async () => {
    const { gateway, served, first } = await byAddress(SYSTEMS.helios, 'ip_hash_consistent');
    await gateway.fleet.append({ type: 'backend.disabled', subject: 'b1', data: { backend: 'b1' } });
    await until(async () => !(await served()).includes('b1'), 'it gets nothing any more');
    const after = await served();
    for (const [index, name] of first.entries()) if (name !== 'b1') expect(after[index]).toBe(name);
  },
});

testRows('connx', 'Strategies', {
  'round-robin': async () => await inTurn(SYSTEMS.connx, 'round-robin'),
  'least-connections': async () => await fewestUnderWay(SYSTEMS.connx, 'least-connections'),
  'weighted-round-robin': async () => await byWeight(SYSTEMS.connx, 'weighted-round-robin', [3, 2, 1]),
});

testRows('velo', 'Strategies', {
  roundrobin: async () => await inTurn(SYSTEMS.velo, 'roundrobin'),
  leastconnection: async () => await fewestUnderWay(SYSTEMS.velo, 'leastconnection'),
});

testRows('load-balancer', 'Strategies', {
  'round-robin': async () => await inTurn(SYSTEMS['load-balancer'], 'round-robin'),
  'least-connections': async () => await fewestUnderWay(SYSTEMS['load-balancer'], 'least-connections'),
  'weighted-round-robin': async () =>
    await byWeight(SYSTEMS['load-balancer'], 'weighted-round-robin', [1, 2]),
  random: async () => {
    const { gateway } = await start(SYSTEMS['load-balancer'], 'random', [1, 1, 1]);
    const names = await gateway.names(240);
    const counts = countsOf(names);
    expect(counts).toHaveLength(3);
    for (const count of counts) expect(Math.abs(count - 80)).toBeLessThan(40);
    // Chance repeats itself now and then, as turns never do.
    expect(names.some((name, index) => name === names[index + 1])).toBe(true);
  },
});
