import { describe, expect, test } from 'vitest';
import {
  type BreakerCell,
  type BreakerEvidence,
  breakerAdmits,
  breakerOpen,
  breakerRecord,
  breakerTick,
  breakerTrialEnded,
  closedBreaker,
} from './local-breaker.ts';

const SETTINGS = {
  enabled: true,
  failures: 5,
  windowMs: 10_000,
  openForMs: 30_000,
  halfOpenRequests: 3,
  successes: 2,
};
const START = 1_000_000;

const EVIDENCE: Record<string, BreakerEvidence> = { x: 'bad', '!': 'unreachable', '.': 'good' };

/** Ends attempts that took no time, one each `everyMs`: `x` failed, `!` could not connect, `.` was good. Answers with what the last one changed. */
function record(cell: BreakerCell, pattern: string, fromMs = START, everyMs = 1): string {
  let change = 'none';
  pattern.split('').forEach((mark, index) => {
    const nowMs = fromMs + index * everyMs;
    change = breakerRecord(cell, SETTINGS, EVIDENCE[mark]!, nowMs, nowMs);
  });
  return change;
}

function halfOpened(): BreakerCell {
  const cell = closedBreaker();
  breakerOpen(cell, START);
  breakerTick(cell, SETTINGS, START);
  return cell;
}

describe('a closed breaker', () => {
  test('opens at the third failure in a row when nobody answers the door', () => {
    const cell = closedBreaker();
    expect(record(cell, '!!')).toBe('none');
    expect(record(cell, '.!!')).toBe('none');
    expect(record(cell, '!')).toBe('tripped');
    expect(record(closedBreaker(), 'xx!')).toBe('tripped');
    expect(record(closedBreaker(), '!!x')).toBe('none');
  });

  test('opens at the fifth failure in a row and not before', () => {
    const cell = closedBreaker();
    expect(record(cell, 'xxxx')).toBe('none');
    expect(breakerAdmits(cell, 3)).toBe(true);
    expect(record(cell, 'x', START + 4)).toBe('tripped');
    expect(cell).toMatchObject({ phase: 'open', openUntilMs: START + 4 + 30_000 });
    expect(breakerAdmits(cell, 3)).toBe(false);
  });

  test('counts failures in a row also when they are far apart', () => {
    expect(record(closedBreaker(), 'xxxxx', START, 60_000)).toBe('tripped');
  });

  test('opens at the fifth failure within the window, successes between them or not', () => {
    expect(record(closedBreaker(), 'x.x.x.x.')).toBe('none');
    expect(record(closedBreaker(), 'x.x.x.x.x')).toBe('tripped');
  });

  test('does not add up failures of different windows', () => {
    expect(record(closedBreaker(), 'x.x.x.x.x.x.x.x.', START, 3_000)).toBe('none');
  });

  test('stays closed over a small share of failures, however many they are', () => {
    const cell = closedBreaker();
    record(cell, 'x.........'.repeat(100));
    expect(cell).toMatchObject({ phase: 'closed', windowFailures: 100 });
  });
});

describe('an open breaker', () => {
  test('lets nothing through and learns nothing until its time has come', () => {
    const cell = closedBreaker();
    breakerOpen(cell, START + 500);
    expect(record(cell, '.....')).toBe('none');
    expect(breakerTick(cell, SETTINGS, START + 499)).toBe(false);
    expect(breakerAdmits(cell, 3)).toBe(false);
    expect(breakerTick(cell, SETTINGS, START + 500)).toBe(true);
    expect(cell.phase).toBe('half_open');
  });
});

describe('an open breaker whose clock was set back', () => {
  test('does not stay open for longer than it would have', () => {
    const cell = closedBreaker();
    breakerOpen(cell, START + SETTINGS.openForMs);
    expect(breakerTick(cell, SETTINGS, START)).toBe(false);
    expect(breakerTick(cell, SETTINGS, START - 3_600_000)).toBe(true);
  });
});

describe('a half-open breaker whose clock was set back', () => {
  test('still comes to a verdict', () => {
    const cell = halfOpened();
    cell.trialsInFlight = 3;
    const nowMs = START - 3_600_000;
    expect(breakerTick(cell, SETTINGS, nowMs)).toBe(true);
    expect(breakerAdmits(cell, 3)).toBe(true);
    breakerRecord(cell, SETTINGS, 'good', nowMs, nowMs + 1);
    expect(breakerRecord(cell, SETTINGS, 'good', nowMs, nowMs + 1)).toBe('recovered');
  });
});

describe('a half-open breaker', () => {
  test('admits as many trials at a time as it may, and another one when one ends', () => {
    const cell = halfOpened();
    cell.trialsInFlight = 2;
    expect(breakerAdmits(cell, 3)).toBe(true);
    cell.trialsInFlight = 3;
    expect(breakerAdmits(cell, 3)).toBe(false);
    breakerTrialEnded(cell);
    expect(breakerAdmits(cell, 3)).toBe(true);
  });

  test('closes after two successes and forgets the failures before', () => {
    const cell = halfOpened();
    expect(record(cell, '.')).toBe('none');
    expect(record(cell, '.')).toBe('recovered');
    expect(cell.phase).toBe('closed');
    expect(record(cell, 'xxxx')).toBe('none');
  });

  test('opens again for its whole time at the first failure', () => {
    const cell = halfOpened();
    expect(record(cell, '.x')).toBe('tripped');
    expect(cell.openUntilMs).toBe(START + 1 + SETTINGS.openForMs);
    expect(cell.trialSuccesses).toBe(0);
  });

  test('takes no lesson from requests that started before it', () => {
    const cell = halfOpened();
    expect(breakerRecord(cell, SETTINGS, 'bad', START - 1, START + 5)).toBe('none');
    expect(cell.phase).toBe('half_open');
  });

  test('closes by successes however far apart they are', () => {
    const cell = halfOpened();
    expect(record(cell, '.')).toBe('none');
    expect(breakerTick(cell, SETTINGS, START + SETTINGS.openForMs)).toBe(true);
    expect(record(cell, '.', START + SETTINGS.openForMs + 1)).toBe('recovered');
  });

  test('gets new trials when the old ones have not come to a verdict for as long as it was open', () => {
    const cell = halfOpened();
    cell.trialsInFlight = 3;
    expect(breakerTick(cell, SETTINGS, START + 29_999)).toBe(false);
    expect(breakerTick(cell, SETTINGS, START + 30_000)).toBe(true);
    expect(breakerAdmits(cell, 3)).toBe(true);
    for (let ended = 0; ended < 4; ended++) breakerTrialEnded(cell);
    expect(cell.trialsInFlight).toBe(0);
  });
});
