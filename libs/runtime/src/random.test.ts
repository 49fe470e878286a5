import { expect, test } from 'vitest';
import { systemRandom } from './random.ts';

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test('ids are well-formed UUIDv7 with the time in front', () => {
  const timeMs = 0x0198_1234_abcd;
  const id = systemRandom(() => timeMs).uuid();
  expect(id).toMatch(UUID_V7);
  expect(id.startsWith('01981234-abcd-7')).toBe(true);
});

test('ids only ever grow: within a millisecond, past a spent counter and when the clock steps back', () => {
  let now = 1_000_000;
  const random = systemRandom(() => now);
  const ids: string[] = [];
  for (let i = 0; i < 10_000; i++) ids.push(random.uuid());
  now -= 500;
  for (let i = 0; i < 10; i++) ids.push(random.uuid());
  now += 60_000;
  ids.push(random.uuid());
  expect(ids.toSorted()).toEqual(ids);
  expect(new Set(ids).size).toBe(ids.length);
});

test('numbers are in [0, 1), spread evenly, and differ between two instances', () => {
  const random = systemRandom();
  const buckets = Array.from({ length: 10 }, () => 0);
  for (let i = 0; i < 100_000; i++) {
    const value = random.next();
    expect(value >= 0 && value < 1).toBe(true);
    buckets[Math.floor(value * 10)]! += 1;
  }
  // Ten standard deviations of a fair draw: this fails by a fault, not by chance.
  for (const count of buckets) expect(Math.abs(count - 10_000)).toBeLessThan(950);
  expect(systemRandom().next()).not.toBe(systemRandom().next());
});
