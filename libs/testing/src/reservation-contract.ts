import { NO_RESOURCES } from '@usher/domain';
import type { Reservations } from '@usher/ports';
import { describe, expect, test } from 'vitest';
import { insist } from './insist.ts';
import {
  LONG_MS,
  type Step,
  USUAL_GATEWAYS,
  USUAL_REQUEST,
  USUAL_RESTORE,
  USUAL_TOLD,
} from './reservation-rule.ts';
import { RESERVATION_RULES } from './reservation-rules.ts';
import type { StateStoreSubject } from './state-store-contract.ts';

const PASSES_MAX = 1_000;

/** What every driver must do with reservations. */
export function testReservations(subject: () => StateStoreSubject): void {
  describe('reservations', () => {
    for (const { name, closed, steps } of RESERVATION_RULES) {
      test(name, async () => {
        if (closed === undefined) await open(subject().store.reservations);
        for (const [index, step] of steps.entries()) await take(subject(), step, `step ${index + 1}`);
      });
    }
    testRaces(() => subject().store.reservations);
    testCloseness(subject);
  });
}

/** Opens a pool in which nothing is held. */
async function open(reservations: Reservations, pool = 'p'): Promise<void> {
  for (const owner of USUAL_GATEWAYS) await reservations.restore({ ...USUAL_RESTORE, pool, owner });
}

async function take(subject: StateStoreSubject, step: Step, at: string): Promise<void> {
  const { reservations } = subject.store;
  if ('reserve' in step) {
    const answer = await reservations.reserve({ ...USUAL_REQUEST, ...step.reserve });
    expect(answer, at).toMatchObject(step.answers);
  } else if ('release' in step) {
    const [given] = await reservations.release('p', step.by ?? 'gw-1', [step.release]);
    expect(given?.backend, at).toBe(step.answers);
  } else if ('renew' in step) {
    const { renew: owner, told = USUAL_TOLD, keeps: allocations = [], answers } = step;
    const request = { pool: 'p', owner, told, leaseMs: LONG_MS, ttlMs: LONG_MS, allocations };
    expect(await reservations.renew(request), at).toEqual(answers);
  } else if ('restore' in step) {
    const answer = await reservations.restore({ ...USUAL_RESTORE, ...step.restore });
    expect(answer, at).toMatchObject(step.answers);
  } else if ('sweep' in step) {
    expect(await reservations.sweep('p', step.sweep), at).toMatchObject(step.answers);
  } else if ('sweepsInTime' in step) {
    const given: string[] = [];
    for (let passes = 0; passes < PASSES_MAX && given.length < step.sweepsInTime.length; passes++) {
      given.push(...(await reservations.sweep('p', 1)).map(({ allocation }) => allocation));
      await subject.pass();
    }
    expect(given, at).toEqual(step.sweepsInTime);
  } else {
    const { allocations, used } = await reservations.list('p');
    expect(allocations.map(({ allocation }) => allocation).toSorted(), at).toEqual(step.holds);
    const cores = Array.from(used, ([backend, { resources }]) => [backend, resources.milliCpu]);
    expect(Object.fromEntries(cores), at).toEqual(step.used);
  }
}

function testRaces(reservations: () => Reservations): void {
  test('of a thousand who want seven places at once exactly seven get one, time and again', async () => {
    await open(reservations());
    const candidates = ['b1', 'b2', 'b3'].map((backend, index) => ({
      backend,
      capacity: { ...NO_RESOURCES, milliCpu: [2000, 4000, 1000][index]! },
      max: 0,
    }));
    for (let round = 0; round < 5; round++) {
      const wanted = Array.from({ length: 1000 }, (_, index) =>
        insist(() =>
          reservations().reserve({
            ...USUAL_REQUEST,
            allocation: `r${round}-${index}`,
            owner: `gw-${index % 4}`,
            candidates,
          }),
        ),
      );
      const answers = await Promise.all(wanted);
      const got = answers.filter((answer) => answer.outcome === 'reserved');
      expect(got.map(({ backend }) => backend).toSorted()).toEqual([
        'b1',
        'b1',
        'b2',
        'b2',
        'b2',
        'b2',
        'b3',
      ]);
      expect(answers.filter(({ outcome }) => outcome === 'full')).toHaveLength(993);
      await Promise.all(
        USUAL_GATEWAYS.map((owner) => {
          const allocations = got.map(({ allocation }) => allocation);
          return insist(() => reservations().release('p', owner, allocations));
        }),
      );
    }
    expect(await reservations().list('p')).toEqual({ allocations: [], used: new Map() });
  });

  test('of many who repeat one reservation, or one give-back, all are answered and one counts', async () => {
    await open(reservations());
    const asked = Array.from({ length: 50 }, () => reservations().reserve(USUAL_REQUEST));
    const answers = await Promise.all(asked);
    expect(answers.filter((answer) => answer.outcome === 'reserved' && !answer.known)).toHaveLength(1);
    expect(answers.filter((answer) => answer.outcome === 'reserved' && answer.known)).toHaveLength(49);
    const given = Array.from({ length: 50 }, () =>
      reservations().release('p', 'gw-1', [USUAL_REQUEST.allocation]),
    );
    expect((await Promise.all(given)).flat()).toMatchObject([{ backend: 'b1' }]);
  });

  test('pools have nothing to do with each other', async () => {
    await open(reservations());
    await reservations().reserve(USUAL_REQUEST);
    expect(await reservations().reserve({ ...USUAL_REQUEST, pool: 'q' })).toEqual({ outcome: 'unknown' });
    await open(reservations(), 'q');
    expect(await reservations().release('q', 'gw-1', [USUAL_REQUEST.allocation])).toEqual([]);
    expect((await reservations().list('p')).allocations).toMatchObject([
      { allocation: 'a1', backend: 'b1', owner: 'gw-1', resources: USUAL_REQUEST.resources },
    ]);
  });
}

function testCloseness(subject: () => StateStoreSubject): void {
  test('a reservation takes the room of any number that have expired, and tells which', async () => {
    const { reservations } = subject().store;
    for (const owner of ['t-', 'l-', 'gw-1']) await reservations.restore({ ...USUAL_RESTORE, owner });
    const crowded = { backend: 'b1', capacity: { ...NO_RESOURCES, milliCpu: 300_000 }, max: 0 };
    const reserve = (allocation: string, ttlMs: number) =>
      reservations.reserve({
        ...USUAL_REQUEST,
        allocation,
        owner: allocation.slice(0, 2),
        ttlMs,
        candidates: [crowded],
      });
    const lost = Array.from({ length: 100 }, (_, index) => `l-${index}`);
    await Promise.all(lost.map((allocation) => reserve(allocation, LONG_MS)));
    await Promise.all(Array.from({ length: 200 }, (_, index) => reserve(`t-${index}`, 1)));
    await reservations.restore({ ...USUAL_RESTORE, owner: 'l-', leaseMs: 1, underWay: lost });
    const given = new Set<string>();
    for (let passes = 0; passes < PASSES_MAX; passes++) {
      const answer = await reservations.reserve({
        ...USUAL_REQUEST,
        allocation: 'large',
        resources: { ...NO_RESOURCES, milliCpu: 300_000 },
        candidates: [crowded],
      });
      if (!('expired' in answer)) throw new Error(`the pool is ${answer.outcome}`);
      for (const { allocation } of answer.expired) given.add(allocation);
      if (answer.outcome === 'reserved') break;
      await subject().pass();
    }
    const { allocations } = await reservations.list('p');
    expect(allocations.map(({ allocation }) => allocation)).toEqual(['large']);
    expect(given.size).toBeLessThanOrEqual(300);
  });

  test('a pool opens without a gateway that does not come back, once its lease must have run out', async () => {
    const { reservations } = subject().store;
    await reservations.restore({ ...USUAL_RESTORE, leaseMs: 30, gateways: ['gw-1', 'gw-2'] });
    let outcome = '';
    for (let passes = 0; passes < PASSES_MAX && outcome !== 'reserved'; passes++) {
      ({ outcome } = await reservations.reserve(USUAL_REQUEST));
      await subject().pass();
    }
    expect(outcome).toBe('reserved');
  });
}
