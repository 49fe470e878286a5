import { describe, expect, test } from 'vitest';
import type { Answer } from './strategy.ts';
import { backend, type TestBackend, TestPool, uniform, weights } from './testing/pools.ts';

interface Reply {
  readonly answer: Answer;
  readonly afterMs: number;
}

interface Ending extends Reply {
  readonly of: TestBackend;
  readonly atMs: number;
}

/** Requests come at a steady rate, each takes as long as its backend says, and time is only a number. */
class Simulation {
  nowMs = 1_000_000;
  readonly pool: TestPool;
  readonly #reply: (of: TestBackend, nowMs: number) => Reply;
  #endings: Ending[] = [];

  constructor(pool: TestPool, reply: (of: TestBackend, nowMs: number) => Reply) {
    this.pool = pool;
    this.#reply = reply;
  }

  /** How many requests each backend got. */
  run(ms: number, perSecond: number): Map<string, number> {
    const counts = new Map(this.pool.pool.eligible.map(({ id }) => [id, 0]));
    for (const endMs = this.nowMs + ms; this.nowMs < endMs; this.nowMs += 1000 / perSecond) {
      this.#endDue();
      const of = this.pool.pick()!;
      counts.set(of.id, counts.get(of.id)! + 1);
      this.pool.load(of, 1);
      const reply = this.#reply(of, this.nowMs);
      this.#endings.push({ ...reply, of, atMs: this.nowMs + reply.afterMs });
    }
    return counts;
  }

  #endDue(): void {
    const due = this.#endings.filter(({ atMs }) => atMs <= this.nowMs).toSorted((a, b) => a.atMs - b.atMs);
    this.#endings = this.#endings.filter(({ atMs }) => atMs > this.nowMs);
    for (const { of, answer, afterMs, atMs } of due) {
      this.pool.pool.chooser.heard?.(of, answer, afterMs, atMs);
      this.pool.load(of, -1);
    }
  }
}

function shareOf(id: string, counts: ReadonlyMap<string, number>): number {
  const all = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return counts.get(id)! / all;
}

/** About so many milliseconds. */
function around(ms: number, seed = 11): () => number {
  const random = uniform(seed);
  return () => ms * (0.7 + 0.6 * random.next());
}

describe.each(['peak_ewma', 'least_response_time'] as const)('%s', (name) => {
  test.each([
    [20, 200, 200, 0.05],
    [20, 2_000, 200, 0.05],
    // Until the first response comes, only the requests under way tell that something is wrong.
    [20, 30_000, 200, 0.12],
    [2, 200, 1_000, 0.05],
    [50, 1_000, 20, 0.05],
  ])(
    'takes one of five back within 60 s when it answers in %i ms again after 30 s of %i ms, at %i requests a second',
    (fastMs, slowMs, perSecond, shareMax) => {
      let slow = false;
      const fast = around(fastMs);
      const simulation = new Simulation(new TestPool(name, weights(1, 1, 1, 1, 1)), ({ id }) => ({
        answer: 'answered',
        afterMs: slow && id === 'c' ? slowMs : fast(),
      }));
      expect(shareOf('c', simulation.run(20_000, perSecond))).toBeGreaterThan(0.15);
      slow = true;
      simulation.run(5_000, perSecond);
      expect(shareOf('c', simulation.run(25_000, perSecond))).toBeLessThan(shareMax);
      slow = false;
      simulation.run(60_000, perSecond);
      const share = shareOf('c', simulation.run(60_000, perSecond));
      expect(share).toBeGreaterThan(0.15);
      expect(share).toBeLessThan(0.25);
    },
  );

  test('gives a backend that refuses in 1 ms less, not more, and takes it back when it stops', () => {
    let refusing = true;
    const fast = around(20);
    const simulation = new Simulation(new TestPool(name, weights(1, 1, 1, 1, 1)), ({ id }) =>
      refusing && id === 'b' ? { answer: 'refused', afterMs: 1 } : { answer: 'answered', afterMs: fast() },
    );
    expect(shareOf('b', simulation.run(30_000, 200))).toBeLessThan(0.02);
    refusing = false;
    simulation.run(60_000, 200);
    expect(shareOf('b', simulation.run(30_000, 200))).toBeGreaterThan(0.15);
  });

  test('asks a backend that only refuses again and again, but seldom', () => {
    const fast = around(20);
    const simulation = new Simulation(new TestPool(name, weights(1, 1, 1)), ({ id }) =>
      id === 'b' ? { answer: 'refused', afterMs: 1 } : { answer: 'answered', afterMs: fast() },
    );
    simulation.run(10_000, 100);
    const asked = simulation.run(300_000, 100).get('b')!;
    expect(asked).toBeGreaterThan(3);
    expect(asked).toBeLessThan(300);
  });

  test('gives a new backend one request until it is heard of', () => {
    const [a, b, c] = weights(1, 1, 1);
    const pool = new TestPool(name, [a!, b!]);
    for (const each of [a!, b!]) pool.pool.chooser.heard?.(each, 'answered', 10, 1_000);
    pool.set([a!, b!, c!]);
    while (pool.pick() !== c) {
      // Until chance has drawn it.
    }
    pool.load(c!, 1);
    expect(pool.sequence(50)).not.toContain('c');
    pool.pool.chooser.heard?.(c!, 'answered', 1, 1_100);
    pool.load(c!, -1);
    expect(pool.sequence(50)).toContain('c');
  });

  test('asks a backend that it has not heard of, though others have requests under way there', () => {
    const [a, b] = weights(1, 1);
    const pool = new TestPool(name, [a!, b!]);
    pool.pool.chooser.heard?.(a!, 'answered', 10, 1_000);
    pool.estimate(b!, 3);
    expect(pool.sequence(20)).toContain('b');
  });

  test('learns from clients that leave only that a response takes longer', () => {
    const [a] = weights(1);
    const { chooser } = new TestPool(name, [a!]).pool;
    chooser.heard?.(a!, 'answered', 100, 1_000_000);
    const { latencyMs } = a!;
    chooser.heard?.(a!, 'left', 1, 1_000_001);
    expect(a!.latencyMs).toBe(latencyMs);
    chooser.heard?.(a!, 'left', 9_000, 1_020_000);
    expect(a!.latencyMs).toBeGreaterThan(5_000);
  });
});

describe('peak_ewma', () => {
  test('counts a slower response at once and faster ones little by little', () => {
    const a = backend('a');
    const { chooser } = new TestPool('peak_ewma', [a]).pool;
    chooser.heard?.(a, 'answered', 10, 100_000);
    chooser.heard?.(a, 'answered', 500, 100_010);
    expect(a.latencyMs).toBe(500);
    chooser.heard?.(a, 'answered', 10, 100_020);
    expect(a.latencyMs).toBeGreaterThan(490);
    chooser.heard?.(a, 'answered', 10, 130_000);
    expect(a.latencyMs).toBeLessThan(12);
  });

  test('shares by weight among backends that are about equally fast, busy or not', () => {
    const latency = around(20);
    const simulation = new Simulation(new TestPool('peak_ewma', weights(5, 1, 1)), () => ({
      answer: 'answered',
      afterMs: latency(),
    }));
    for (const perSecond of [20, 2_000]) {
      simulation.run(5_000, perSecond);
      const share = shareOf('a', simulation.run(30_000, perSecond));
      expect(share).toBeGreaterThan(0.64);
      expect(share).toBeLessThan(0.79);
    }
  });

  test('takes the less busy of two that are equally fast', () => {
    const [a, b] = weights(1, 1);
    const pool = new TestPool('peak_ewma', [a!, b!]);
    for (const each of [a!, b!]) pool.pool.chooser.heard?.(each, 'answered', 10, 1_000);
    pool.load(a!, 5);
    expect(pool.sequence(20)).toBe('b'.repeat(20));
  });
});

describe('least_response_time', () => {
  test('takes the fastest, and another one when that has more requests under way than it is faster', () => {
    const [a, b] = weights(1, 1);
    const pool = new TestPool('least_response_time', [a!, b!]);
    pool.pool.chooser.heard?.(a!, 'answered', 10, 1_000);
    pool.pool.chooser.heard?.(b!, 'answered', 35, 1_000);
    expect(pool.sequence(3)).toBe('aaa');
    pool.load(a!, 3);
    expect(pool.sequence(3)).toBe('bbb');
  });
});
