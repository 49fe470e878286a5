import { expect, test } from 'vitest';
import type { Admission } from '../admission/admission.ts';
import { admissionTo } from '../testing/admission.ts';
import { PressureWatch } from './pressure-watch.ts';

const SETTINGS = { memorySoft: 0, memoryHard: 0, loopDelayMs: 200, memoryBytes: 2 ** 30 };

function watched(): { readonly admission: Admission; readonly watch: PressureWatch } {
  const admission = admissionTo({ routes: [] });
  return { admission, watch: new PressureWatch(SETTINGS, admission, () => {}) };
}

function work(ms: number): void {
  const before = process.threadCpuUsage();
  for (;;) {
    const { user, system } = process.threadCpuUsage(before);
    if (user + system >= ms * 1000) return;
  }
}

test('a worker that comes late because it has much to do turns requests away', () => {
  const { admission, watch } = watched();
  work(60);
  watch.look(1_000, 600);
  expect(admission.level).toBe(1);
});

test('a worker that was frozen turns nothing away when it goes on', () => {
  const { admission, watch } = watched();
  watch.look(30_000, 30_000);
  expect(admission.level).toBe(0);
});

test('what a worker did before the last look does not count', () => {
  const { admission, watch } = watched();
  work(60);
  watch.look(1_000, 0);
  watch.look(31_000, 30_000);
  expect(admission.level).toBe(0);
});
