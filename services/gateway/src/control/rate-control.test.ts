import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RateLimitSettings } from '@usher/domain';
import { type RateBuckets, StoreUnavailableError } from '@usher/ports';
import { openEmbeddedStore } from '@usher/state-store';
import { RecordingLog, SimulatedClock, seededRandom } from '@usher/testing';
import { expect, test } from 'vitest';
import { SimulatedRates } from '../testing/simulated-rates.ts';

const LIMIT: RateLimitSettings = { by: 'ip', scope: 'fleet', requests: 100, perMs: 1_000, burst: 200 };
const MINUTE_MS = 60_000;
const ALLOWED = 60 * 100 + 200;

function fleet(gateways: number, limit = LIMIT) {
  const clock = new SimulatedClock(Date.UTC(2026, 5, 1));
  const store = openEmbeddedStore({ clock });
  const rates = new SimulatedRates({ clock, limit, gateways, store: () => store });
  return { clock, rates };
}

test.each([
  ['evenly', [1, 1, 1]],
  ['mostly through one', [8, 1, 1]],
  ['through one alone', [1, 0, 0]],
])('three gateways let through what one would, within 1 %%, asked %s', async (_how, shares) => {
  const { rates } = fleet(3);
  const { passed, storeCalls, waited, asked } = await rates.run(MINUTE_MS, 1_000, shares);
  expect(passed).toBeLessThanOrEqual(ALLOWED);
  expect(passed).toBeGreaterThan(ALLOWED * 0.99);
  expect(storeCalls).toBeLessThan(asked / 10);
  expect(waited).toBeLessThan(asked / 10);
});

test('a client within its limit is never refused, whichever gateways it asks', async () => {
  const { rates } = fleet(3);
  const { passed, asked, storeCalls } = await rates.run(MINUTE_MS, 90, [2, 1, 1]);
  expect(asked - passed).toBe(0);
  expect(storeCalls).toBeLessThan(asked / 3);
});

test('who has used up his limit at one gateway has none at another', async () => {
  const { rates } = fleet(3, { ...LIMIT, requests: 10, perMs: 60_000, burst: 10 });
  for (let each = 0; each < 10; each++) expect(await rates.ask(0)).toBe(true);
  expect([await rates.ask(1), await rates.ask(2), await rates.ask(0)]).toEqual([false, false, false]);
});

test('a burst that is as large as the limit allows passes whole, at once, through a gateway that has never seen the client', async () => {
  const { rates } = fleet(3);
  const asked = Array.from({ length: 250 }, () => rates.ask(1));
  const passed = (await Promise.all(asked)).filter(Boolean);
  expect(passed).toHaveLength(200);
});

test('what a gateway has in hand for a client who went to another one goes back', async () => {
  const { rates, clock } = fleet(2, { ...LIMIT, requests: 1_000, perMs: 3_600_000, burst: 1_000 });
  await rates.ask(0);
  for (let each = 0; each < 10; each++) {
    clock.advance(1_000);
    await nextTurn();
  }
  let passed = 0;
  while (await rates.ask(1)) passed += 1;
  expect(passed).toBeGreaterThanOrEqual(999);
});

const connected = () => ({ connected: true, sinceMs: 0 });

/** A store that answers late, or not at all. */
class FaultyRates implements RateBuckets {
  away = false;
  readonly #rates: RateBuckets;
  constructor(rates: RateBuckets) {
    this.#rates = rates;
  }
  async take(...call: Parameters<RateBuckets['take']>) {
    if (this.away) throw new StoreUnavailableError('it is away');
    return await this.#rates.take(...call);
  }
  async give(...call: Parameters<RateBuckets['give']>) {
    if (this.away) throw new StoreUnavailableError('it is away');
    await this.#rates.give(...call);
  }
}

test('while the store is away each gateway allows its part, nobody waits, and it is said', async () => {
  const clock = new SimulatedClock(Date.UTC(2026, 5, 1));
  const store = new FaultyRates(openEmbeddedStore({ clock }).rates);
  const log = new RecordingLog();
  const rates = new SimulatedRates({
    clock,
    limit: LIMIT,
    gateways: 3,
    store: () => ({ rates: store, status: connected }),
    log,
  });
  await rates.run(10_000, 1_000, [1, 1, 1]);
  store.away = true;
  await rates.run(1_000, 1_000, [1, 1, 1]);
  expect(log.entries.filter(({ level }) => level === 'warn').map(({ message }) => message)).toContain(
    'the state store is away: each gateway allows its part of the rate limits',
  );
  const without = await rates.run(MINUTE_MS, 1_000, [1, 1, 1]);
  expect(without.passed / (MINUTE_MS / 10)).toBeGreaterThan(0.97);
  expect(without.passed / (MINUTE_MS / 10)).toBeLessThan(1.03);
  expect(without.waited).toBe(0);
  store.away = false;
  await rates.run(1_000, 1_000, [1, 1, 1]);
  const again = await rates.run(MINUTE_MS, 1_000, [1, 1, 1]);
  expect(again.passed / (MINUTE_MS / 10)).toBeGreaterThan(0.98);
  expect(again.passed / (MINUTE_MS / 10)).toBeLessThan(1.02);
  expect(log.entries.at(-1)?.message).toBe('rate limits count for the fleet again');
});

test('the same seed gives the same minute', async () => {
  const runs = [fleet(3), fleet(3)].map(({ rates }) => rates.run(5_000, 300, [3, 2, 1], seededRandom(3)));
  const [one, other] = await Promise.all(runs);
  expect(one!.passed).toBe(other!.passed);
});
