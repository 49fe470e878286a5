import type { RateLimitSettings } from '@usher/domain';
import type { StateStore } from '@usher/ports';
import { openRedisStore } from '@usher/state-store';
import { RecordingLog, type RedisServer, SimulatedClock, startRedisServer, wallClock } from '@usher/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SimulatedRedisRates } from '../libs/state-store/src/testing/simulated-rates.ts';
import { RateFleet, SimulatedRates } from '../services/gateway/src/testing/simulated-rates.ts';
import { until } from './support/wait.ts';

const GATEWAYS = 4;
const MINUTE_MS = 60_000;

let redis: RedisServer;
const closing: (() => unknown)[] = [];
beforeEach(async () => {
  redis = await startRedisServer();
});
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
  await redis.stop();
});

const CONNECTED = () => ({ connected: true, sinceMs: 0 });

test.each([
  ['evenly', [1, 1, 1, 1]],
  ['mostly through one', [7, 1, 1, 1]],
])('a minute of four gateways with one Redis is exact within 1 %%, asked %s', async (_how, shares) => {
  const limit: RateLimitSettings = { by: 'ip', scope: 'fleet', requests: 100, perMs: 1_000, burst: 200 };
  const clock = new SimulatedClock(Date.UTC(2026, 5, 1));
  const server = new SimulatedRedisRates(redis.url, clock, GATEWAYS);
  closing.push(() => server.close());
  const fleet = new SimulatedRates({
    clock,
    limit,
    gateways: GATEWAYS,
    store: (gateway) => ({ rates: server.connections[gateway]!, status: CONNECTED }),
    answered: () => server.answered(),
  });
  closing.push(() => fleet.stop());
  const { passed, asked, storeCalls } = await fleet.run(MINUTE_MS, 500, shares);
  const allowed = limit.burst + (limit.requests * MINUTE_MS) / limit.perMs;
  expect(passed).toBeLessThanOrEqual(allowed);
  expect(passed).toBeGreaterThan(0.99 * allowed);
  expect(storeCalls).toBeLessThan(asked / 4);
});

test('without Redis each of four gateways allows its part, with nobody waiting, and all count together when it is back', async () => {
  const limit: RateLimitSettings = { by: 'ip', scope: 'fleet', requests: 40, perMs: 86_400_000, burst: 40 };
  const log = new RecordingLog();
  const stores: StateStore[] = [];
  for (let each = 0; each < GATEWAYS; each++) {
    const store = await openRedisStore({ url: redis.url, clock: wallClock, log });
    closing.push(() => store.close());
    stores.push(store);
  }
  const fleet = new RateFleet({
    clock: wallClock,
    limit,
    gateways: GATEWAYS,
    store: (gateway) => stores[gateway]!,
    log,
  });
  closing.push(() => fleet.stop());
  /** How many requests of a client pass each gateway until it refuses. */
  const passing = async (client: string): Promise<number[]> => {
    const passed = Array<number>(GATEWAYS).fill(0);
    for (let gateway = 0; gateway < GATEWAYS; gateway++)
      while (await fleet.ask(gateway, client)) passed[gateway]! += 1;
    return passed;
  };
  const away = (yes: boolean) =>
    until(`away: ${yes}`, () =>
      fleet.gateways.every(({ control }) => (control.awaySinceMs !== undefined) === yes),
    );

  expect(await passing('10.0.0.1')).toEqual([40, 0, 0, 0]);
  await redis.kill9();
  await away(true);
  const { waited } = fleet;
  expect(await passing('10.0.0.1')).toEqual([10, 10, 10, 10]);
  expect(await passing('10.0.0.2')).toEqual([10, 10, 10, 10]);
  expect(fleet.waited).toBe(waited);
  await redis.restart();
  await away(false);
  expect(await passing('10.0.0.3')).toEqual([40, 0, 0, 0]);
  expect(log.entries.map(({ message }) => message)).toEqual(
    expect.arrayContaining([
      'the state store is away: each gateway allows its part of the rate limits',
      'rate limits count for the fleet again',
    ]),
  );
});

test('a Redis that stands still holds a request up for no longer than its command may take', async () => {
  const limit: RateLimitSettings = { by: 'ip', scope: 'fleet', requests: 40, perMs: 86_400_000, burst: 40 };
  const log = new RecordingLog();
  const store = await openRedisStore({ url: redis.url, clock: wallClock, log });
  closing.push(() => store.close());
  const fleet = new RateFleet({ clock: wallClock, limit, gateways: 1, store: () => store, log });
  closing.push(() => fleet.stop());
  redis.freeze();
  const asked = Array.from({ length: 100 }, (_, client) => fleet.ask(0, `10.0.0.${client}`));
  expect(await Promise.all(asked)).toEqual(Array(100).fill(true));
  const { waited } = fleet;
  expect(await fleet.ask(0, '10.0.0.1')).toBe(true);
  expect(fleet.waited).toBe(waited);
  redis.thaw();
  await until('it answers again', () => fleet.gateways[0]!.control.awaySinceMs === undefined);
});
