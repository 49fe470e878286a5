import { expect, test } from 'vitest';
import { linePressure, NO_PRESSURE, nextPressure, type Pressure, pressureLevel } from './pressure.ts';

const SETTINGS = { memorySoft: 0.8, memoryHard: 0.9, loopDelayMs: 200 };

/** Levels after each sample, one every 100 ms. */
function levels(
  samples: readonly { memory?: number; loopDelayMs?: number }[],
  settings = SETTINGS,
): number[] {
  let pressure: Pressure = NO_PRESSURE;
  return samples.map(({ memory = 0, loopDelayMs = 0 }, step) => {
    pressure = nextPressure(pressure, { nowMs: step * 100, memory, loopDelayMs }, settings);
    return pressureLevel(pressure);
  });
}

const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);

test('a level begins with the first sample at its mark', () => {
  expect(levels([{ memory: 0.79 }, { memory: 0.8 }, { memory: 0.9 }])).toEqual([0, 1, 2]);
  expect(levels([{ memory: 0.95 }])).toEqual([2]);
});

test('one short pause of the event loop means nothing, a long one or several do', () => {
  expect(Math.max(...levels([{ loopDelayMs: 300 }, ...times(5, {})]))).toBe(0);
  expect(levels([{ loopDelayMs: 450 }])[0]).toBe(1);
  expect(levels(times(6, { loopDelayMs: 250 })).at(-1)).toBe(1);
  expect(levels([{ loopDelayMs: 2_000 }])[0]).toBe(2);
});

test('a value around its mark does not switch a level on and off', () => {
  const wavering = Array.from({ length: 100 }, (_, step) => ({ memory: step % 2 === 0 ? 0.81 : 0.75 }));
  expect(new Set(levels(wavering))).toEqual(new Set([1]));
});

test('levels end one after the other, each two seconds after what led to it', () => {
  const after = levels([{ memory: 0.95 }, ...times(60, { memory: 0.5 })]);
  expect(after.slice(0, 21)).toEqual(times(21, 2));
  expect(after.slice(21, 41)).toEqual(times(20, 1));
  expect(after.slice(41)).toEqual(times(20, 0));
});

test('what comes back within the two seconds keeps the level', () => {
  const samples = [{ memory: 0.85 }, ...times(15, {}), { memory: 0.85 }, ...times(15, {})];
  expect(new Set(levels(samples))).toEqual(new Set([1]));
});

test('a mark of 0 is none', () => {
  const off = { memorySoft: 0, memoryHard: 0, loopDelayMs: 0 };
  expect(levels([{ memory: 5, loopDelayMs: 60_000 }], off)).toEqual([0]);
});

test('a line sheds when half of it and when nearly all of it is taken, until it is well below that', () => {
  let level: 0 | 1 | 2 = 0;
  const found = [0.4, 0.5, 0.3, 0.25, 0.95, 0.8, 0.75, 0.3, 0.2].map(
    (taken) => (level = linePressure(level, taken)),
  );
  expect(found).toEqual([0, 1, 1, 0, 2, 2, 1, 1, 0]);
});
