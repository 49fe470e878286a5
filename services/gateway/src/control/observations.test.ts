import type { UsherEvent } from '@usher/events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TestFleet } from '../testing/fleet.ts';
import { breakerFact } from './breaker-fact.ts';
import { Facts } from './facts.ts';
import { NewestFacts } from './newest-facts.ts';
import { Observations } from './observations.ts';

const START = 1_000;

/** An outbox that can be full. */
class Box {
  full = false;
  pending = 0;
  readonly taken: UsherEvent[] = [];

  offer(_subject: string, events: readonly UsherEvent[]): boolean {
    if (!this.full) this.taken.push(...events);
    return !this.full;
  }

  async flush(): Promise<void> {}

  /** The data of what was taken since the last call. */
  take(): unknown[] {
    return this.taken.splice(0).map(({ data }) => data);
  }
}

let fleet: TestFleet;
let box: Box;
let facts: Facts;
beforeEach(() => {
  fleet = new TestFleet();
  box = new Box();
  facts = new Facts(fleet.context({ outbox: box }));
});
afterEach(() => fleet.close());

const seen = (backend: string, requests: number, changes = {}) => ({
  backend,
  requests,
  failures: 0,
  latencySumMs: requests * 2,
  inFlight: 0,
  ...changes,
});

function tripped(untilMs: number) {
  return { kind: 'tripped', backend: 'b1', failures: 3, requests: 4, untilMs } as const;
}

describe('observations', () => {
  test('of all workers are added up and told once', () => {
    const sums = new Observations('gw-1', facts, START);
    sums.add(0, {
      position: 1,
      requests: 3,
      errors: 1,
      backends: [seen('b1', 2), seen('b2', 1, { failures: 1 })],
    });
    sums.add(1, { position: 1, requests: 5, errors: 0, backends: [seen('b1', 5)] });
    sums.tell(START + 1_000);
    expect(box.take()).toEqual([
      {
        gateway: 'gw-1',
        windowMs: 1_000,
        requests: 8,
        errors: 1,
        backends: [
          { backend: 'b1', requests: 7, failures: 0, latencySumMs: 14 },
          { backend: 'b2', requests: 1, failures: 1, latencySumMs: 2 },
        ],
      },
    ]);
    sums.tell(START + 2_000);
    expect(box.take()).toEqual([]);
  });

  test('that cannot be told are kept as sums and told together later', () => {
    const sums = new Observations('gw-1', facts, START);
    box.full = true;
    for (let second = 1; second <= 100; second++) {
      sums.add(0, { position: 1, requests: 1, errors: 0, backends: [seen('b1', 1)] });
      sums.tell(START + second * 1_000);
    }
    box.full = false;
    sums.tell(START + 101_000);
    expect(box.take()).toEqual([
      {
        gateway: 'gw-1',
        windowMs: 101_000,
        requests: 100,
        errors: 0,
        backends: [{ backend: 'b1', requests: 100, failures: 0, latencySumMs: 200 }],
      },
    ]);
  });

  test('of very many backends are told in several events, each request once', () => {
    const sums = new Observations('gw-1', facts, START);
    const backends = Array.from({ length: 2_500 }, (_, index) => seen(`b${index}`, 1));
    sums.add(0, { position: 1, requests: 2_500, errors: 0, backends });
    sums.tell(START + 1_000);
    const told = box.take() as { requests: number; backends: unknown[] }[];
    expect(told.map((each) => each.backends.length)).toEqual([1_000, 1_000, 500]);
    expect(told.map(({ requests }) => requests)).toEqual([2_500, 0, 0]);
  });

  test('of requests that reached no backend are told as well', () => {
    const sums = new Observations('gw-1', facts, START);
    sums.add(0, { position: 1, requests: 4, errors: 4, backends: [] });
    sums.tell(START + 1_000);
    expect(box.take()).toMatchObject([{ requests: 4, errors: 4, backends: [] }]);
  });

  test('know what is under way, and that it ended with the worker that died', () => {
    const sums = new Observations('gw-1', facts, START);
    sums.add(0, { position: 1, requests: 0, errors: 0, backends: [seen('b1', 0, { inFlight: 3 })] });
    sums.add(1, { position: 1, requests: 0, errors: 0, backends: [seen('b1', 0, { inFlight: 2 })] });
    sums.add(1, { position: 1, requests: 1, errors: 0, backends: [seen('b1', 1, { inFlight: -1 })] });
    expect(sums.inFlight('b1')).toBe(4);
    sums.forgetWorker(0);
    expect(sums.inFlight('b1')).toBe(1);
    expect(sums.totals([{ id: 'b1', pool: 'web' }]).get('b1')).toMatchObject({ requests: 1, inFlight: 1 });
  });

  test('call a backend empty only when every worker knows of the drain and has nothing under way', () => {
    const sums = new Observations('gw-1', facts, START);
    const at = (worker: number, position: number, inFlight = 0) =>
      sums.add(worker, { position, requests: 0, errors: 0, backends: [seen('b1', 0, { inFlight })] });
    at(0, 5);
    expect(sums.isEmpty('b1', 5, 2)).toBe(false);
    at(1, 4, 1);
    expect(sums.isEmpty('b1', 5, 2)).toBe(false);
    at(1, 6);
    expect(sums.isEmpty('b1', 5, 2)).toBe(false);
    at(1, 6, -1);
    expect(sums.isEmpty('b1', 5, 2)).toBe(true);
    sums.forgetWorker(0);
    expect(sums.isEmpty('b1', 5, 2)).toBe(false);
  });
});

describe('news of breakers', () => {
  test('are told at once', () => {
    new NewestFacts(facts).tell('b1', breakerFact('gw-1', tripped(9)));
    expect(box.take()).toEqual([{ backend: 'b1', gateway: 'gw-1', failures: 3, requests: 4, untilMs: 9 }]);
  });

  test('that cannot be told are told later, the newest of each backend alone', () => {
    const reports = new NewestFacts(facts);
    box.full = true;
    reports.tell('b1', breakerFact('gw-1', tripped(9)));
    reports.tell('b1', breakerFact('gw-1', tripped(19)));
    reports.tell('b2', breakerFact('gw-1', { kind: 'recovered', backend: 'b2' }));
    reports.retell();
    box.full = false;
    reports.retell();
    expect(box.take()).toMatchObject([
      { backend: 'b1', untilMs: 19 },
      { backend: 'b2', gateway: 'gw-1' },
    ]);
    reports.retell();
    expect(box.take()).toEqual([]);
  });
});
