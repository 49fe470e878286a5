import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseConfigText } from './load.ts';

const MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;
const BYTES = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;

test('a duration is its number times its unit', () => {
  const unit = fc.constantFrom('ms', 's', 'm', 'h');
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 24 }), unit, (number, unit) => {
      const { timeouts } = parseConfigText(`timeouts: { idle: ${number}${unit} }`).shared;
      expect(timeouts.idleMs).toBe(number * MS[unit]);
    }),
  );
});

test('a size is its number times its unit', () => {
  const unit = fc.constantFrom('B', 'KB', 'MB', 'GB', 'KiB', 'MiB', 'GiB');
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1000 }), unit, (number, unit) => {
      const { limits } = parseConfigText(`limits: { request_body: ${number}${unit} }`).shared;
      expect(limits.requestBodyBytes).toBe(number * BYTES[unit]);
    }),
  );
});
