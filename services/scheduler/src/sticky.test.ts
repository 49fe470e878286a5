import { expect, test } from 'vitest';
import { declared, newFleet } from './testing/test-fleet.ts';

const HOUR_MS = 3_600_000;
const sticky = { by: 'ip', ttlMs: HOUR_MS, idleMs: HOUR_MS, affinity: true };

test('sessions are cleared one by one up to a number, until nothing of them is left or all are cleared', async () => {
  const fleet = newFleet();
  const { fold } = await fleet.start('s1', declared(['a']));
  const clear = async (session?: string) => await fleet.command('sticky.clear', { pool: 'web', session });
  expect(await clear()).toMatchObject({ ok: false, problem: { code: 'conflict' } });
  await fleet.command('pool.update', { pool: 'web', sticky });
  for (let each = 0; each < 1000; each++) await clear(`s${each}`);
  expect(await clear('more')).toMatchObject({ ok: false, problem: { code: 'conflict' } });
  expect(await clear('s1')).toMatchObject({ ok: true, events: ['sticky.cleared'] });
  fleet.clock.advance(HOUR_MS);
  expect(await clear('more')).toMatchObject({ ok: true });
  expect([...(fold.state.pools.get('web')?.cleared.one.keys() ?? [])]).toEqual(['more']);
  expect(await clear()).toMatchObject({ ok: true, events: ['sticky.cleared'] });
  expect(fold.state.pools.get('web')?.cleared.one.size).toBe(0);
});
