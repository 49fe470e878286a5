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

test('a file that changes while its scheduler leads counts at once, and that of a standby when it comes to lead', async () => {
  const fleet = newFleet();
  const { scheduler, fold } = await fleet.start('s1', declared(['a', 'b']));
  const standby = await fleet.start('s2', declared(['a', 'b']));
  standby.scheduler.declare(declared(['a', 'b', 'c']));
  scheduler.declare(declared(['a', 'b', 'd']));
  await vi.waitFor(() => expect([...fold.state.backends.keys()]).toEqual(['a', 'b', 'd']));
  expect(fold.state.config?.revision).toBe(2);
  await scheduler.stop();
  fleet.clock.advance(1_000);
  await vi.waitFor(() => expect([...standby.fold.state.backends.keys()]).toContain('c'));
  expect(standby.fold.state.backends.get('d')?.lifecycle).toBe('draining');
});

test('a leader whose file goes back to an old one means it', async () => {
  const fleet = newFleet();
  for (const [instance, backends] of [
    ['s1', ['a']],
    ['s1', ['a', 'b']],
  ] as const) {
    const { scheduler } = await fleet.start(instance, declared(backends));
    await scheduler.stop();
  }
  const { scheduler, fold } = await fleet.start('s2', declared(['a', 'b']));
  scheduler.declare(declared(['a']));
  await vi.waitFor(() => expect(fold.state.backends.get('b')?.lifecycle).toBe('draining'));
});

test('a file takes over what a command had made, and drops it when it does not declare it any more', async () => {
  const fleet = newFleet();
  const first = await fleet.start('s1', declared(['a']));
  await fleet.command('backend.add', { settings: declared(['b']).shared.backends[0] });
  await first.scheduler.stop();
  const second = await fleet.start('s1', declared(['a', 'b']));
  expect(second.fold.state.backends.get('b')?.origin).toBe('config');
  await second.scheduler.stop();
  const { fold } = await fleet.start('s1', declared(['a']));
  expect(fold.state.backends.get('b')?.lifecycle).toBe('draining');
});

test('an old file does not undo a new one when its process comes to lead', async () => {
  const fleet = newFleet();
  const old = await fleet.start('s2', declared(['a']));
  await old.scheduler.stop();
  const leader = await fleet.start('s1', declared(['a', 'b']));
  await leader.scheduler.stop();
  const { fold, context } = await fleet.start('s2', declared(['a']));
  expect(fold.state.leader?.scheduler).toBe('s2');
  expect(fold.state.backends.get('b')?.lifecycle).toBe('active');
  expect(context.log).toMatchObject({
    entries: expect.arrayContaining([expect.objectContaining({ level: 'warn' })]),
  });
});

test('who brought the present file may go back to an old one', async () => {
  const fleet = newFleet();
  for (const backends of [['a'], ['a', 'b'], ['a']]) {
    const { scheduler, fold } = await fleet.start('s1', declared(backends));
    expect(fold.state.config?.hash).toBe(declared(backends).hash);
    await scheduler.stop();
  }
});

test('what a command changed of a declared backend stays until the file changes; a drain stays then too', async () => {
  const fleet = newFleet();
  const first = await fleet.start('s1', declared(['a', 'b']));
  await fleet.command('backend.update', { backend: 'a', weight: 7 });
  await fleet.command('backend.disable', { backend: 'b' });
  await first.scheduler.stop();
  const { scheduler, fold } = await fleet.start('s1', declared(['a', 'b']));
  const seen = () =>
    ['a', 'b'].map((id) => [
      fold.state.backends.get(id)?.settings.weight,
      fold.state.backends.get(id)?.lifecycle,
    ]);
  expect(seen()).toEqual([
    [7, 'active'],
    [1, 'disabled'],
  ]);
  scheduler.declare(declared(['a', 'b', 'c']));
  await vi.waitFor(() => expect(fold.state.backends.has('c')).toBe(true));
  expect(seen()).toEqual([
    [1, 'active'],
    [1, 'disabled'],
  ]);
});
