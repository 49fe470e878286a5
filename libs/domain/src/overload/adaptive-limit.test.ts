import { describe, expect, test } from 'vitest';
import { type AdaptiveState, isEnough, limitNow, newAdaptive, nextAdaptive } from './adaptive-limit.ts';

const SETTINGS = { min: 3, max: 1_000 };
const STEP_MS = 100;

/** A backend that serves `servers` requests at a time, each in `serviceMs`, and has the others wait in order. */
class QueueingBackend {
  servers: number;
  serviceMs: number;
  /** When each of its servers is free. */
  #freeMs: number[] = [];

  constructor(servers: number, serviceMs: number) {
    this.servers = servers;
    this.serviceMs = serviceMs;
  }

  /** When a request that arrives now is answered. */
  take(nowMs: number): number {
    while (this.#freeMs.length < this.servers) this.#freeMs.push(0);
    this.#freeMs.length = this.servers;
    let best = 0;
    for (let each = 1; each < this.servers; each++)
      if (this.#freeMs[each]! < this.#freeMs[best]!) best = each;
    const endMs = Math.max(nowMs, this.#freeMs[best]!) + this.serviceMs;
    this.#freeMs[best] = endMs;
    return endMs;
  }
}

/** Clients that ask so many requests a second as long as the limit lets them; the others are turned away. */
class Simulation {
  state: AdaptiveState;
  nowMs = 0;
  answered = 0;
  readonly #backend: QueueingBackend;
  /** By millisecond of the end: how long each took. */
  readonly #ends = new Map<number, number[]>();
  #inFlight = 0;

  constructor(backend: QueueingBackend) {
    this.#backend = backend;
    this.state = newAdaptive(SETTINGS, 0);
  }

  run(ms: number, perMs: number): void {
    let due = 0;
    let seen = { sinceMs: this.nowMs, answers: 0, sumMs: 0, most: 0 };
    for (const endMs = this.nowMs + ms; this.nowMs < endMs; this.nowMs += 1) {
      for (const tookMs of this.#ends.get(this.nowMs) ?? []) {
        this.#inFlight -= 1;
        this.answered += 1;
        seen.answers += 1;
        seen.sumMs += tookMs;
      }
      this.#ends.delete(this.nowMs);
      for (due += perMs; due >= 1; due -= 1) this.#ask();
      seen.most = Math.max(seen.most, this.#inFlight);
      if (this.nowMs % STEP_MS !== 0 || !isEnough(seen.answers, this.nowMs - seen.sinceMs)) continue;
      const sample = {
        nowMs: this.nowMs,
        meanMs: seen.sumMs / seen.answers,
        inFlightMax: seen.most,
      };
      this.state = nextAdaptive(this.state, sample, SETTINGS);
      seen = { sinceMs: this.nowMs, answers: 0, sumMs: 0, most: 0 };
    }
  }

  get limit(): number {
    return limitNow(this.state, SETTINGS, this.nowMs);
  }

  #ask(): void {
    if (this.#inFlight >= this.limit) return;
    const endMs = Math.ceil(this.#backend.take(this.nowMs));
    this.#inFlight += 1;
    this.#ends.set(endMs, [...(this.#ends.get(endMs) ?? []), endMs - this.nowMs]);
  }
}

describe('with more requests than the backend can serve', () => {
  test.each([
    [5, 20],
    [10, 50],
    [50, 20],
    [200, 40],
  ])(
    '%i at a time, each in %i ms: the limit settles near that, and nearly all of the backend is used',
    (servers, serviceMs) => {
      const capacity = servers / serviceMs;
      const simulation = new Simulation(new QueueingBackend(servers, serviceMs));
      simulation.run(60_000, capacity * 3);
      const before = simulation.answered;
      const limits: number[] = [];
      for (let each = 0; each < 100; each++) {
        simulation.run(200, capacity * 3);
        if (simulation.state.lookUntilMs === 0) limits.push(simulation.limit);
      }
      expect(Math.min(...limits)).toBeGreaterThanOrEqual(servers);
      expect(Math.max(...limits)).toBeLessThanOrEqual(servers * 1.6 + 5);
      expect((simulation.answered - before) / (20_000 * capacity)).toBeGreaterThan(0.95);
    },
  );
});

test('when the backend becomes slow fewer are let through, and as many as before when it is fast again', () => {
  const backend = new QueueingBackend(40, 20);
  const simulation = new Simulation(backend);
  simulation.run(60_000, 6);
  const calm = simulation.limit;
  backend.servers = 8;
  simulation.run(10_000, 6);
  const slowed = simulation.limit;
  expect(slowed).toBeLessThan(calm * 0.6);
  expect(slowed).toBeGreaterThanOrEqual(8);
  backend.servers = 40;
  simulation.run(20_000, 6);
  expect(simulation.limit).toBeGreaterThanOrEqual(40);
});

test('a backend whose every answer takes longer from now on is not starved for what it was once', () => {
  const backend = new QueueingBackend(40, 10);
  const simulation = new Simulation(backend);
  simulation.run(40_000, 12);
  backend.serviceMs = 50;
  simulation.run(90_000, 3);
  expect(simulation.limit).toBeGreaterThanOrEqual(36);
  expect(simulation.limit).toBeLessThan(80);
});

test('the limit is never below its minimum, however slow the answers', () => {
  let state = newAdaptive(SETTINGS, 0);
  for (let step = 1; step < 250; step++) {
    const sample = { nowMs: step * STEP_MS, meanMs: step < 10 ? 1 : 10_000, inFlightMax: 50 };
    state = nextAdaptive(state, sample, SETTINGS);
    expect(limitNow(state, SETTINGS, step * STEP_MS)).toBeGreaterThanOrEqual(SETTINGS.min);
  }
});

test('without load the limit does not grow, and a handful of answers says nothing until a second has passed', () => {
  let state = newAdaptive(SETTINGS, 0);
  const start = state.limit;
  for (let step = 1; step < 200; step++)
    state = nextAdaptive(state, { nowMs: step * STEP_MS, meanMs: 5, inFlightMax: 2 }, SETTINGS);
  expect(state.limit).toBe(start);
  expect([isEnough(3, 100), isEnough(10, 100), isEnough(3, 1_000), isEnough(0, 5_000)]).toEqual([
    false,
    true,
    true,
    false,
  ]);
});

test('a clock that is set back leaves a limit neither halved nor fixed until it has caught up', () => {
  let state = newAdaptive(SETTINGS, 0);
  let nowMs = 3_600_000;
  const step = (meanMs: number) => {
    nowMs += STEP_MS;
    state = nextAdaptive(state, { nowMs, meanMs, inFlightMax: 50 }, SETTINGS);
  };
  while (state.lookUntilMs === 0) step(10);
  const halved = limitNow(state, SETTINGS, nowMs);
  nowMs = 0;
  expect(limitNow(state, SETTINGS, nowMs)).toBeGreaterThan(halved * 1.5);
  for (let each = 0; each < 400; each++) step(50);
  expect(state.calmMs).toBe(50);
});
