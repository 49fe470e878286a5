import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RetryBudget } from './retry-budget.ts';

function takeAll(budget: RetryBudget, ratio: number, nowMs: number): number {
  let taken = 0;
  for (; taken < 10_000 && budget.take(ratio, nowMs); taken++) budget.noteAttempt(nowMs);
  return taken;
}

function note(budget: RetryBudget, requests: number, nowMs: number): void {
  for (let index = 0; index < requests; index++) budget.noteAttempt(nowMs);
}

describe('the retry budget', () => {
  test('allows three retries in ten seconds to a pool without traffic', () => {
    const budget = new RetryBudget();
    expect(takeAll(budget, 0.2, 5_000)).toBe(3);
    expect(budget.take(0.2, 14_999)).toBe(false);
    expect(takeAll(budget, 0.2, 15_000)).toBe(3);
  });

  test('allows the given share of the requests in the window', () => {
    const budget = new RetryBudget();
    note(budget, 1000, 1_000);
    expect(takeAll(budget, 0.2, 10_999)).toBe(200);
  });

  test('takes no retry for a reason to retry more', () => {
    const budget = new RetryBudget();
    let retries = 0;
    for (let requests = 0; requests < 1_000; requests++) {
      note(budget, 1, 1_000);
      retries += takeAll(budget, 0.2, 1_000);
    }
    expect(retries).toBe(200);
  });

  test('forgets requests and retries second by second', () => {
    const budget = new RetryBudget();
    note(budget, 100, 0);
    note(budget, 50, 4_000);
    expect(takeAll(budget, 0.2, 9_000)).toBe(30);
    // The first 100 have left; 20 % of 50 is 10, and 30 have been taken.
    expect(takeAll(budget, 0.2, 10_000)).toBe(0);
    note(budget, 200, 13_000);
    expect(takeAll(budget, 0.2, 13_500)).toBe(20);
  });

  test('forgets everything after a long silence', () => {
    const budget = new RetryBudget();
    note(budget, 1000, 0);
    takeAll(budget, 0.2, 0);
    expect(takeAll(budget, 0.2, 3_605_000)).toBe(3);
  });

  test('stands still when the clock steps back', () => {
    const budget = new RetryBudget();
    expect(takeAll(budget, 0, 100_000)).toBe(3);
    expect(budget.take(0, 20_000)).toBe(false);
  });

  test('never exceeds the larger of three and the share within any ten seconds', () => {
    const steps = fc.array(fc.record({ gapMs: fc.nat(1_500), retry: fc.boolean() }), { maxLength: 300 });
    fc.assert(
      fc.property(steps, fc.double({ min: 0, max: 1, noNaN: true }), (actions, ratio) => {
        const budget = new RetryBudget();
        const requests: number[] = [];
        const retries: number[] = [];
        let nowMs = 1_000_000;
        for (const { gapMs, retry } of actions) {
          nowMs += gapMs;
          const second = Math.floor(nowMs / 1_000);
          const inWindow = (seconds: readonly number[]) =>
            seconds.filter((each) => each > second - 10).length;
          if (!retry) {
            budget.noteAttempt(nowMs);
            requests.push(second);
            continue;
          }
          const allowed = inWindow(retries) + 1 <= Math.max(3, ratio * inWindow(requests));
          expect(budget.take(ratio, nowMs)).toBe(allowed);
          if (!allowed) continue;
          retries.push(second);
          // It is an attempt too, and yet no request.
          budget.noteAttempt(nowMs);
        }
      }),
    );
  });
});
