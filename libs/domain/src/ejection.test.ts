import { describe, expect, test } from 'vitest';
import { eject, ejectedMax, ejectionRecord, notEjected, readmit } from './ejection.ts';

const settings = {
  enabled: true,
  consecutive: 5,
  failureRate: 0.5,
  windowMs: 10_000,
  requestsMin: 20,
  ejectForMs: 30_000,
  maxEjected: 0.5,
};

/** Attempts that begin and end at once: `x` fails, anything else does not. Why the last one should eject. */
function after(attempts: string, cell = notEjected(), nowMs = 1_000) {
  let cause: string | undefined;
  for (const each of attempts) cause = ejectionRecord(cell, settings, each === 'x', nowMs, nowMs);
  return cause;
}

describe('what ejects', () => {
  test('is a number of failures in a row, which a success starts anew', () => {
    expect(after('xxxx')).toBeUndefined();
    expect(after('xxxxx')).toBe('in_a_row');
    expect(after('xxxx.xxxx')).toBeUndefined();
  });

  test('is a share of failures in a window that has enough requests', () => {
    expect(after('x.'.repeat(9))).toBeUndefined();
    expect(after('.x'.repeat(10))).toBe('rate');
    expect(after('..x'.repeat(30))).toBeUndefined();
  });

  test('is nothing that began before the last ejection ended', () => {
    const cell = notEjected();
    after('xxxxx', cell);
    eject(cell, settings, 1_000);
    readmit(cell, 31_000);
    expect(ejectionRecord(cell, settings, true, 30_999, 31_005)).toBeUndefined();
    expect(ejectionRecord(cell, settings, true, 31_000, 31_005)).toBe('in_a_row');
  });
});

test('a backend that came back before the clock was set back is judged all the same', () => {
  const cell = notEjected();
  after('xxxxx', cell);
  eject(cell, settings, 3_600_000);
  readmit(cell, 3_630_000);
  expect(after('.xxxxx', cell, 1_000)).toBe('in_a_row');
});

describe('the time of an ejection', () => {
  test('grows with each one up to five minutes', () => {
    const cell = notEjected();
    let nowMs = 1_000;
    const lasted = Array.from({ length: 12 }, () => {
      const untilMs = eject(cell, settings, nowMs);
      const forMs = untilMs - nowMs;
      nowMs = untilMs;
      readmit(cell, nowMs);
      return forMs / 1_000;
    });
    expect(lasted).toEqual([30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 300, 300]);
  });

  test('falls by one step for each such time in which it served', () => {
    const cell = notEjected();
    for (let times = 0; times < 4; times++) eject(cell, settings, 0);
    readmit(cell, 1_000);
    expect(eject(cell, settings, 1_000 + 2 * 30_000)).toBe(61_000 + 3 * 30_000);
    readmit(cell, 200_000);
    expect(eject(cell, settings, 200_000 + 100 * 30_000)).toBe(3_230_000);
  });
});

test.each([
  [0, 0.5, 0],
  [1, 0.5, 0],
  [2, 0.5, 1],
  [2, 0.4, 0],
  [3, 0.5, 1],
  [3, 0.1, 1],
  [3, 0, 0],
  [10, 0.5, 5],
  [10, 1, 5],
  [11, 0.5, 5],
])('of %i backends with a share of %f, %i may be ejected', (backends, share, allowed) => {
  expect(ejectedMax(backends, share)).toBe(allowed);
});
