import type { RateLimitSettings } from '@usher/domain';
import type { RateBuckets, StateStore } from '@usher/ports';
import { openRedisStore } from '@usher/state-store';
import { RecordingLog, type RedisServer, SimulatedClock, startRedisServer, wallClock } from '@usher/testing';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RedisRates } from '../libs/state-store/src/redis/redis-rates.ts';
import type { RunScript } from '../libs/state-store/src/redis/run-script.ts';
import { RateFleet, SimulatedRates } from '../services/gateway/src/testing/simulated-rates.ts';
import { until } from './support/wait.ts';

const GATEWAYS = 4;
const MINUTE_MS = 60_000;
/** How long an answer of the store takes. */
const LATENCY_MS = 2;

let redis: RedisServer;
const closing: (() => unknown)[] = [];
beforeEach(async () => {
  redis = await startRedisServer();
});
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
  await redis.stop();
});

/** Has a script go by the time that it is given last. Then keys do not expire either: that is the server's time. */
const SIMULATED_TIME = `
local server, now = redis, tonumber(ARGV[#ARGV])
local redis = { call = function(name, ...)
  if name == 'TIME' then return { math.floor(now / 1000000), now % 1000000 } end
  if name == 'SET' then return server.call(name, (select(1, ...)), (select(2, ...))) end
  return server.call(name, ...)
end }
`;

/** Connections to the real server, which goes by a simulated clock and answers a little late. */
function simulatedStores(clock: SimulatedClock) {
  const underWay = new Set<Promise<unknown>>();
  const connect = (): RateBuckets => {
    const connection = new Redis(redis.url);
    closing.push(() => connection.disconnect());
    const run: RunScript = async ({ source }, keys, args) => {
      await new Promise<void>((resolve) => clock.after(LATENCY_MS, resolve));
      const nowUs = clock.now() * 1_000;
      const answer = connection.eval(SIMULATED_TIME + source, keys.length, ...keys, ...args, nowUs);
      underWay.add(answer);
      return await answer.finally(() => underWay.delete(answer));
    };
    return new RedisRates(run);
  };
  const rates = Array.from({ length: GATEWAYS }, connect);
  const status = () => ({ connected: true, sinceMs: 0 });
  return {
    store: (gateway: number) => ({ rates: rates[gateway]!, status }),
    answered: () => Promise.all(underWay),
  };
}

test.each([
  ['evenly', [1, 1, 1, 1]],
  ['mostly through one', [7, 1, 1, 1]],
])('a minute of four gateways with one Redis is exact within 1 %%, asked %s', async (_how, shares) => {
  const limit: RateLimitSettings = { by: 'ip', scope: 'fleet', requests: 100, perMs: 1_000, burst: 200 };
  const clock = new SimulatedClock(Date.UTC(2026, 5, 1));
  const fleet = new SimulatedRates({ clock, limit, gateways: GATEWAYS, ...simulatedStores(clock) });
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
