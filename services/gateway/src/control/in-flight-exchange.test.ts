import { describe, expect, test } from 'vitest';
import { exponential, SimulatedFleet, type SimulatedFleetOptions } from '../testing/simulated-fleet.ts';

const WARM_UP_MS = 3_000;
const EVENLY = [0.25, 0.25, 0.25, 0.25];
const twoSeconds: SimulatedFleetOptions['reply'] = (_backend, _nowMs, chance) => ({
  status: 200,
  afterMs: exponential(2_000, chance),
});
const slow = { status: 200, afterMs: 60_000 };

/** How far requests under way are from being the same everywhere: standard deviation over the backends, mean over time. */
function spread(options: SimulatedFleetOptions, perSecond: number, shares: readonly number[]): number {
  const fleet = new SimulatedFleet(options);
  fleet.run(WARM_UP_MS, perSecond, shares);
  let sum = 0;
  let samples = 0;
  fleet.run(8_000, perSecond, shares, () => {
    const counts = [...fleet.truth.values()];
    const mean = counts.reduce((total, count) => total + count, 0) / counts.length;
    sum += Math.sqrt(counts.reduce((total, count) => total + (count - mean) ** 2, 0) / counts.length);
    samples += 1;
  });
  return sum / samples;
}

interface Load {
  readonly about: string;
  readonly perSecond: number;
  readonly shares: readonly number[];
  readonly reply: SimulatedFleetOptions['reply'];
}

const LOADS: readonly Load[] = [
  {
    about: 'requests of a second',
    perSecond: 400,
    shares: EVENLY,
    reply: (_backend, _nowMs, chance) => ({ status: 200, afterMs: exponential(1_000, chance) }),
  },
  {
    about: 'short requests, more of them than anybody hears of in time',
    perSecond: 2_000,
    shares: EVENLY,
    reply: (_backend, _nowMs, chance) => ({ status: 200, afterMs: exponential(100, chance) }),
  },
  {
    about: 'a gateway that has most of the requests, and backends of different speed',
    perSecond: 2_000,
    shares: [0.7, 0.2, 0.07, 0.03],
    reply: (backend, _nowMs, chance) => ({
      status: 200,
      afterMs: exponential(/[048]$/.test(backend) ? 300 : 60, chance),
    }),
  },
  {
    about: 'short requests with a few that take very long',
    perSecond: 200,
    shares: EVENLY,
    reply: (_backend, _nowMs, chance) => ({
      status: 200,
      afterMs: chance.next() < 0.02 ? 20_000 : exponential(50, chance),
    }),
  },
];

describe('four gateways that know of each other’s requests', () => {
  test.each(LOADS)('spread them better by least_connections: $about', ({ perSecond, shares, reply }) => {
    const of = (gateways: number[], sharing: boolean, parts = shares): number =>
      spread({ strategy: 'least_connections', backends: 20, gateways, sharing, reply }, perSecond, parts);
    const together = of([1, 1, 1, 1], true);
    const alone = of([1, 1, 1, 1], false);
    const ideal = of([1], true, [1]);
    expect(together).toBeLessThan(0.95 * alone);
    expect(together).toBeLessThan(2 * ideal);
    // As four workers of one gateway they are as well off.
    expect(of([4], true)).toBeLessThan(1.15 * together);
  });

  test.each(LOADS)('spread them no worse by p2c: $about', ({ perSecond, shares, reply }) => {
    const of = (sharing: boolean): number =>
      spread({ strategy: 'p2c', backends: 20, gateways: [1, 1, 1, 1], sharing, reply }, perSecond, shares);
    expect(of(true)).toBeLessThan(1.05 * of(false));
  });

  test.each(['least_connections', 'p2c'] as const)(
    'do not all run to a backend that comes: %s',
    (strategy) => {
      const fleet = new SimulatedFleet({
        strategy,
        backends: 9,
        gateways: [1, 1, 1, 1],
        sharing: true,
        reply: twoSeconds,
      });
      fleet.run(6_000, 400, EVENLY);
      fleet.setBackend('new');
      let most = 0;
      fleet.run(6_000, 400, EVENLY, () => {
        const all = [...fleet.truth.values()].reduce((sum, count) => sum + count, 0);
        most = Math.max(most, fleet.truth.get('new')! / (all / 10));
      });
      // It gets as much as the others have, and little more.
      expect(most).toBeGreaterThan(0.9);
      expect(most).toBeLessThan(1.3);
    },
  );

  test('send their first requests to different backends', () => {
    const options = { strategy: 'least_connections', backends: 8, sharing: true, reply: () => slow } as const;
    const fleet = new SimulatedFleet({ ...options, gateways: [2, 2, 2, 2] });
    const first = fleet.gateways.flatMap(({ workers }) => workers.map((worker) => fleet.request(worker)!.id));
    expect(new Set(first).size).toBeGreaterThan(3);
  });
});

describe('what is under way elsewhere', () => {
  const options = { strategy: 'least_connections', backends: 2, sharing: true, reply: () => slow } as const;

  test('counts as if it was here', () => {
    const fleet = new SimulatedFleet({ ...options, gateways: [1, 1], backends: 1 });
    const [busy, idle] = fleet.gateways.map(({ workers }) => workers[0]);
    for (let each = 0; each < 6; each++) fleet.request(busy!);
    fleet.setBackend('b1');
    fleet.run(3_000);
    expect(idle!.pool.slots.map(({ inFlight, own }) => [Math.round(inFlight), own])).toEqual([
      [6, 0],
      [0, 0],
    ]);
    for (let each = 0; each < 3; each++) {
      expect(fleet.request(idle!)!.id).toBe('b1');
      fleet.run(3_000);
    }
  });

  test('fades when the gateway is not heard of any more, and is gone at once when the log says so', () => {
    const fleet = new SimulatedFleet({ ...options, gateways: [1, 1] });
    const [busy, idle] = fleet.gateways.map(({ workers }) => workers[0]);
    const seen = (): number => idle!.pool.inFlight;
    for (let each = 0; each < 10; each++) fleet.request(busy!);
    fleet.run(3_000);
    expect(seen()).toBeGreaterThan(9.9);
    fleet.kill('gw-1');
    fleet.run(300);
    expect(seen()).toBeGreaterThan(8);
    fleet.run(2_200);
    expect(seen()).toBeLessThan(0.2);
    fleet.setRunning('gw-1', false);
    fleet.run(6_000);
    expect(idle!.pool.echo).toBe(0);
    expect(idle!.pool.slots.map(({ inFlight }) => inFlight)).toEqual([0, 0]);
  });

  test('is nothing, and nothing is said, when there is only one worker', () => {
    const fleet = new SimulatedFleet({ ...options, gateways: [1] });
    const reported = fleet.gateways[0]!.workers[0]!;
    for (let each = 0; each < 5; each++) fleet.request(reported);
    fleet.run(2_000);
    expect(fleet.said).toEqual([]);
    expect(reported.pool).toMatchObject({ inFlight: 5, echo: 0 });
    expect(reported.pool.slots.map(({ inFlight }) => inFlight).toSorted((a, b) => a - b)).toEqual([2, 3]);
  });

  test('stays in the gateway when there is no other', () => {
    const fleet = new SimulatedFleet({ ...options, gateways: [3] });
    const [busy, idle] = fleet.gateways[0]!.workers;
    for (let each = 0; each < 5; each++) fleet.request(busy!);
    fleet.run(2_000);
    expect(fleet.said).toEqual([]);
    expect(Math.round(idle!.pool.inFlight)).toBe(5);
  });

  test('is said ten times a second while there is something, and once that there is nothing', () => {
    const fleet = new SimulatedFleet({
      ...options,
      gateways: [1, 1],
      reply: () => ({ status: 200, afterMs: 1_000 }),
    });
    fleet.run(1_000);
    expect(fleet.said).toEqual([]);
    fleet.request(fleet.gateways[0]!.workers[0]!);
    fleet.run(3_000);
    const said = fleet.said.map(({ payload }) => Object.keys(JSON.parse(payload).inFlight).length);
    expect(said.length).toBeGreaterThan(9);
    expect(said.length).toBeLessThan(13);
    expect(said.lastIndexOf(1)).toBe(said.length - 2);
  });
});
