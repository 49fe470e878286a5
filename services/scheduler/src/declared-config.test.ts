import { expect, test, vi } from 'vitest';
import { declared, newFleet } from './testing/test-fleet.ts';

test('a fresh fleet becomes what the file declares, once', async () => {
  const fleet = newFleet();
  const { fold, events } = await fleet.start('s1', declared(['a', 'b']));
  expect([...fold.state.backends.keys()]).toEqual(['a', 'b']);
  expect(fold.state.backends.get('a')?.health).toBe('unknown');
  const head = await events.head();
  await fleet.start('s1', declared(['a', 'b']));
  expect(fold.state.config?.revision).toBe(1);
  expect(await events.head()).toBeLessThanOrEqual(head + 1);
});

test('a changed file updates, adds and drains away what it no longer declares, and leaves alone what commands added', async () => {
  const fleet = newFleet();
  const first = await fleet.start('s1', declared(['a', 'b']));
  await fleet.command('backend.add', {
    settings: { id: 'x', pool: 'web', url: 'http://10.9.9.9', weight: 1 },
  });
  await first.scheduler.stop();
  const { fold, events } = await fleet.start('s2', declared(['a', 'c']));
  const states = () =>
    Object.fromEntries([...fold.state.backends].map(([id, { lifecycle }]) => [id, lifecycle]));
  expect(states()).toEqual({ a: 'active', b: 'draining', x: 'active', c: 'active' });
  fleet.clock.advance(30_100);
  await vi.waitFor(() => expect(states()).toEqual({ a: 'active', x: 'active', c: 'active' }));
  expect(await events.head()).toBe(fold.position);
});
