import { describe, expect, test } from 'vitest';
import { type Reply, SimulatedFleet, type SimulatedFleetOptions } from '../testing/simulated-fleet.ts';

const PER_SECOND = 200;
const FLEETS: readonly (readonly [string, SimulatedFleetOptions['gateways']])[] = [
  ['one worker', [1]],
  ['four gateways that know of each other', [1, 1, 1, 1]],
];

/** Five backends, of which `b2` answers as it is told. */
class FiveBackends {
  sick: Reply | undefined;
  readonly #fleet: SimulatedFleet;
  readonly #shares: readonly number[];

  constructor(gateways: SimulatedFleetOptions['gateways']) {
    this.#shares = gateways.map(() => 1 / gateways.length);
    this.#fleet = new SimulatedFleet({
      strategy: 'peak_ewma',
      backends: 5,
      gateways,
      sharing: true,
      reply: (backend, _nowMs, chance) => {
        const well = { status: 200, afterMs: 20 * (0.7 + 0.6 * chance.next()) };
        return backend === 'b2' ? (this.sick ?? well) : well;
      },
    });
  }

  /** The share of `b2` in the requests of the next seconds. */
  shareIn(seconds: number): number {
    this.#fleet.got.clear();
    this.#fleet.run(1_000 * seconds, PER_SECOND, this.#shares);
    const all = [...this.#fleet.got.values()].reduce((sum, count) => sum + count, 0);
    return (this.#fleet.got.get('b2') ?? 0) / all;
  }
}

describe.each(FLEETS)('peak_ewma in %s', (_name, gateways) => {
  test('has one of five that was slow for 30 s back at its share within 60 s', () => {
    const five = new FiveBackends(gateways);
    expect(five.shareIn(20)).toBeGreaterThan(0.15);
    five.sick = { status: 200, afterMs: 2_000 };
    five.shareIn(5);
    expect(five.shareIn(25)).toBeLessThan(0.05);
    five.sick = undefined;
    five.shareIn(50);
    const share = five.shareIn(10);
    expect(share).toBeGreaterThan(0.15);
    expect(share).toBeLessThan(0.25);
  });

  test.each([429, 503])('gives one that answers %i in 1 ms less, not more', (status) => {
    const five = new FiveBackends(gateways);
    const before = five.shareIn(20);
    five.sick = { status, afterMs: 1 };
    five.shareIn(1);
    expect(five.shareIn(30)).toBeLessThan(before / 5);
  });
});
