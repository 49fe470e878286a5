import { expect, test, vi } from 'vitest';
import { previewConfig } from './preview-config.ts';
import { declared, newFleet } from './testing/test-fleet.ts';

const NONE = { added: [], removed: [], changed: [] };

test('a preview says what comes, goes and changes, and then just that does', async () => {
  const fleet = newFleet();
  const { scheduler, fold } = await fleet.start('s1', declared(['a', 'b', 'c']));
  await fleet.command('backend.add', {
    settings: { id: 'x', pool: 'web', url: 'http://10.9.9.9', weight: 1 },
  });
  await fleet.command('backend.update', { backend: 'a', weight: 7 });
  const { shared } = declared(['a', 'b', 'd']);
  const next = {
    shared: {
      ...shared,
      pools: shared.pools.map((pool) => ({ ...pool, drainMs: pool.drainMs + 1 })),
      routes: [{ id: 'api', path: '/api/*', pool: 'web', plugins: [], websocket: true }],
      limits: { ...shared.limits, connections: 7 },
    },
    hash: 'next',
  };
  const preview = previewConfig(fold.state, next, fleet.clock.now());
  expect(preview).toMatchObject({
    pools: { ...NONE, changed: [{ id: 'web', settings: ['drainMs'] }] },
    // What a command changed of a declared backend is undone, and what it added stays.
    backends: { added: ['d'], removed: ['c'], changed: [{ id: 'a', settings: ['weight'] }] },
    routes: { added: ['api'] },
    settings: ['limits'],
  });
  scheduler.declare(next);
  await vi.waitFor(() => expect(fold.state.config?.hash).toBe('next'));
  expect(fold.state.backends.get('a')?.settings.weight).toBe(1);
  expect(fold.state.backends.get('c')?.removing ?? true).toBe(true);
  expect(fold.state.backends.has('d') && fold.state.backends.has('x')).toBe(true);
  const again = previewConfig(fold.state, next, fleet.clock.now());
  expect(again).toEqual({ pools: NONE, backends: NONE, routes: NONE, settings: [] });
});

test('a file that the fleet goes by undoes nothing that commands did since', async () => {
  const fleet = newFleet();
  const { fold } = await fleet.start('s1', declared(['a']));
  await fleet.command('backend.update', { backend: 'a', weight: 7 });
  const { backends } = previewConfig(fold.state, declared(['a']), fleet.clock.now());
  expect(backends).toEqual(NONE);
});

test('of a fleet without a configuration everything comes; a backend that drains away and a pool that goes are told', async () => {
  const fleet = newFleet();
  const file = declared(['a', 'b']);
  const { scheduler, fold } = await fleet.start('s1', declared(['a', 'b']));
  const { shared } = file;
  const pools = shared.pools.map((pool) => ({ ...pool, id: 'other' }));
  const moved = { shared: { ...shared, pools, backends: [], routes: [] }, hash: 'moved' };
  expect(previewConfig(fold.state, moved, 0)).toMatchObject({
    pools: { added: ['other'], removed: ['web'], changed: [] },
    backends: { added: [], removed: ['a', 'b'], changed: [] },
  });
  scheduler.declare(moved);
  await vi.waitFor(() => expect([...fold.state.pools.keys()]).toEqual(['other']));
});
