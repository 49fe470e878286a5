import { NO_RESOURCES } from '@usher/domain';
import type { Reservations } from '@usher/ports';
import { describe, expect, test } from 'vitest';
import { insist } from './insist.ts';
import { LONG_MS, type Step, USUAL_REQUEST, USUAL_RESTORE } from './reservation-rule.ts';
import { RESERVATION_RULES } from './reservation-rules.ts';
import type { StateStoreSubject } from './state-store-contract.ts';

const PASSES_MAX = 1_000;

/** What every driver must do with reservations. */
export function testReservations(subject: () => StateStoreSubject): void {
  describe('reservations', () => {
    for (const { name, closed, steps } of RESERVATION_RULES) {
      test(name, async () => {
        const { reservations } = subject().store;
        if (closed === undefined) await reservations.restore(USUAL_RESTORE);
        for (const [index, step] of steps.entries()) await take(subject(), step, `step ${index + 1}`);
      });
    }
    testRaces(() => subject().store.reservations);
    testCloseness(subject);
  });
}

async function take(subject: StateStoreSubject, step: Step, at: string): Promise<void> {
  const { reservations } = subject.store;
  if ('reserve' in step) {
    const answer = await reservations.reserve({ ...USUAL_REQUEST, ...step.reserve });
    expect(answer, at).toMatchObject(step.answers);
  } else if ('release' in step) {
    expect(await reservations.release('p', step.release), at).toBe(step.answers);
  } else if ('renew' in step) {
    expect(await reservations.renew('p', step.renew, LONG_MS), at).toBe(step.answers);
  } else if ('restore' in step) {
    const answer = await reservations.restore({ ...USUAL_RESTORE, ...step.restore });
    expect(answer, at).toMatchObject(step.answers);
  } else if ('sweep' in step) {
    expect(await reservations.sweep('p', step.sweep), at).toEqual(step.answers);
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
    await reservations().restore(USUAL_RESTORE);
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
      await Promise.all(got.map(({ allocation }) => insist(() => reservations().release('p', allocation))));
    }
    expect(await reservations().list('p')).toEqual({ allocations: [], used: new Map() });
  });

  test('of many who repeat one reservation, or one give-back, all are answered and one counts', async () => {
    await reservations().restore(USUAL_RESTORE);
    const asked = Array.from({ length: 50 }, () => reservations().reserve(USUAL_REQUEST));
    const answers = await Promise.all(asked);
    expect(answers.filter((answer) => answer.outcome === 'reserved' && !answer.known)).toHaveLength(1);
    expect(answers.filter((answer) => answer.outcome === 'reserved' && answer.known)).toHaveLength(49);
    const given = Array.from({ length: 50 }, () => reservations().release('p', USUAL_REQUEST.allocation));
    expect((await Promise.all(given)).filter((backend) => backend !== undefined)).toEqual(['b1']);
  });

  test('pools have nothing to do with each other', async () => {
    await reservations().restore(USUAL_RESTORE);
    await reservations().reserve(USUAL_REQUEST);
    expect(await reservations().reserve({ ...USUAL_REQUEST, pool: 'q' })).toEqual({ outcome: 'unknown' });
    await reservations().restore({ ...USUAL_RESTORE, pool: 'q' });
    expect(await reservations().release('q', USUAL_REQUEST.allocation)).toBeUndefined();
    expect((await reservations().list('p')).allocations).toMatchObject([
      { allocation: 'a1', backend: 'b1', owner: 'gw-1', resources: USUAL_REQUEST.resources },
    ]);
  });
}

function testCloseness(subject: () => StateStoreSubject): void {
  test('a reservation takes the room of any number that have expired, and tells which', async () => {
    const { reservations } = subject().store;
    await reservations.restore(USUAL_RESTORE);
    const crowded = { backend: 'b1', capacity: { ...NO_RESOURCES, milliCpu: 300_000 }, max: 0 };
    const reserve = (allocation: string, ttlMs: number, leaseMs: number) =>
      reservations.reserve({
        ...USUAL_REQUEST,
        allocation,
        owner: allocation.slice(0, 2),
        ttlMs,
        leaseMs,
        candidates: [crowded],
      });
    const short = Array.from({ length: 200 }, (_, index) => reserve(`t-${index}`, 1, LONG_MS));
    const lost = Array.from({ length: 100 }, (_, index) => reserve(`l-${index}`, LONG_MS, 1));
    await Promise.all([...short, ...lost]);
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
