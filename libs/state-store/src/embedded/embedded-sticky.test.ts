import { SimulatedClock } from '@usher/testing';
import { expect, test } from 'vitest';
import { EmbeddedSticky } from './embedded-sticky.ts';

const assignment = (id: number) => ({
  pool: 'p',
  id: `s${id}`,
  backend: 'b1',
  ttlMs: 60_000,
  idleMs: 60_000,
});

test('forgets what was not used for longest when there are too many, whatever clients send', async () => {
  const sticky = new EmbeddedSticky(new SimulatedClock(), 100);
  await sticky.assign(assignment(0));
  for (let id = 1; id < 10_000; id++) {
    await sticky.assign(assignment(id));
    expect(await sticky.get('p', 's0')).toBe('b1');
  }
  const known: number[] = [];
  for (let id = 1; id < 10_000; id++) {
    if ((await sticky.get('p', `s${id}`)) !== undefined) known.push(id);
  }
  expect(known).toEqual(Array.from({ length: 99 }, (_, index) => 9901 + index));
});
