import { NO_RESOURCES } from '@usher/domain';
import { expect, test } from 'vitest';
import type { Facts } from '../facts.ts';
import type { Held } from './held-allocations.ts';
import { PoolFacts } from './pool-facts.ts';

/** A log that takes facts only while it is open. */
function facts() {
  const log = { isOpen: true, told: [] as string[] };
  const tell: Facts['tell'] = (...drafts) => {
    if (!log.isOpen) return false;
    for (const { type, data } of drafts)
      if ('allocation' in data) log.told.push(`${data.allocation} ${type.slice('allocation.'.length)}`);
    return true;
  };
  return { log, facts: new PoolFacts('web', { tell } as Pick<Facts, 'tell'> as Facts) };
}
const held = (allocation: string): Held => ({
  allocation,
  backend: 'b1',
  tier: 't',
  resources: NO_RESOURCES,
  capacity: undefined,
  session: undefined,
  at: undefined,
  uses: new Map(),
  usedMs: 0,
  extendedMs: 0,
});
const first = { owner: 'gw-1', expiresAtMs: 1, again: false, restored: false };
const ended = (allocation: string) => ({ allocation, backend: 'b1', cause: 'done' });

test('what the log does not take is told later, in order', () => {
  const { log, facts: pool } = facts();
  pool.reserved(held('a'), first);
  log.isOpen = false;
  pool.reserved(held('b'), first);
  pool.released([ended('a')]);
  pool.retell();
  log.isOpen = true;
  pool.reserved(held('c'), first);
  expect(log.told).toEqual(['a reserved']);
  pool.retell();
  expect(log.told).toEqual(['a reserved', 'b reserved', 'a released', 'c reserved']);
  expect(pool.untold).toBe(0);
});

test('what begins and ends while the log takes nothing leaves nothing behind', () => {
  const { log, facts: pool } = facts();
  log.isOpen = false;
  for (let index = 0; index < 100_000; index++) {
    pool.reserved(held(`a${index}`), first);
    pool.released([ended(`a${index}`)]);
  }
  expect(pool.untold).toBe(0);
  expect(pool.lost).toBe(200_000);
});

test('the end is told of what the log knows, also when it has not heard of a change since', () => {
  const { log, facts: pool } = facts();
  pool.reserved(held('a'), first);
  log.isOpen = false;
  pool.reserved(held('a'), { ...first, again: true, restored: true });
  pool.released([ended('a')]);
  log.isOpen = true;
  pool.retell();
  expect(log.told).toEqual(['a reserved', 'a released']);
});

test('there is a limit to what is kept, and what is lost is counted', () => {
  const { log, facts: pool } = facts();
  log.isOpen = false;
  for (let index = 0; index < 30_000; index++) pool.reserved(held(`a${index}`), first);
  expect(pool.untold).toBe(20_000);
  expect(pool.lost).toBe(10_000);
  log.isOpen = true;
  pool.retell();
  expect(log.told[0]).toBe('a10000 reserved');
  expect(log.told).toHaveLength(20_000);
});
