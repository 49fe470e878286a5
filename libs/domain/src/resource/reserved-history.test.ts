import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ReservedHistory } from './reserved-history.ts';
import { NO_RESOURCES } from './tier.ts';

const core = { ...NO_RESOURCES, milliCpu: 1000 };
const WINDOW_MS = 10_000;

test('an allocation younger than the report counts in full', () => {
  const history = new ReservedHistory(WINDOW_MS, 0);
  history.add(core, 20_000);
  expect(history.unreported(19_999)).toEqual(core);
  expect(history.unreported(20_000)).toEqual(core);
});

test('an allocation that lasted through the window of the report does not count twice', () => {
  const history = new ReservedHistory(WINDOW_MS, 0);
  history.add(core, 1000);
  expect(history.unreported(11_000)).toEqual(NO_RESOURCES);
  expect(history.unreported(99_000)).toEqual(NO_RESOURCES);
});

test('an allocation that began within the window counts for the rest of it', () => {
  const history = new ReservedHistory(WINDOW_MS, 0);
  history.add(core, 14_000);
  expect(history.unreported(20_000)).toEqual({ ...core, milliCpu: 400 });
});

test('what ended since the report counts as given back', () => {
  const history = new ReservedHistory(WINDOW_MS, 0);
  history.add(core, 0);
  history.remove(core, 20_500);
  expect(history.unreported(20_000)).toEqual({ ...core, milliCpu: -1000 });
  expect(history.unreported(40_000)).toEqual(NO_RESOURCES);
});

test('what a steady stream of short allocations reserves is all in the report', () => {
  const history = new ReservedHistory(WINDOW_MS, 0);
  for (let atMs = 0; atMs < 60_000; atMs += 4) {
    history.add(core, atMs);
    history.remove(core, atMs + 2);
  }
  expect(history.reserved).toEqual(NO_RESOURCES);
  expect(history.unreported(60_000).milliCpu).toBeCloseTo(-500, -1);
});

test('equals the sum over all allocations of what lies inside the window', () => {
  const lives = fc.array(fc.tuple(fc.nat(30_000), fc.nat(20_000), fc.integer({ min: 1, max: 8000 })), {
    maxLength: 40,
  });
  fc.assert(
    fc.property(lives, fc.nat(60_000), (allocations, reportMs) => {
      const history = new ReservedHistory(WINDOW_MS, 0);
      const changes = allocations.flatMap(([startMs, lengthMs, milliCpu]) => [
        { atMs: startMs, milliCpu },
        { atMs: startMs + lengthMs, milliCpu: -milliCpu },
      ]);
      changes.sort((a, b) => a.atMs - b.atMs);
      for (const { atMs, milliCpu } of changes) history.add({ ...NO_RESOURCES, milliCpu }, atMs);
      let reported = 0;
      for (const [startMs, lengthMs, milliCpu] of allocations) {
        const from = Math.max(startMs, reportMs - WINDOW_MS);
        const to = Math.min(startMs + lengthMs, reportMs);
        reported += (milliCpu * Math.max(0, to - from)) / WINDOW_MS;
      }
      expect(Math.abs(history.unreported(reportMs).milliCpu + reported)).toBeLessThanOrEqual(1);
    }),
  );
});
