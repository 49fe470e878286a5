import type { Change } from '@usher/domain';
import { expect, test, vi } from 'vitest';
import { previewConfig } from './preview-config.ts';
import { declared, newFleet } from './testing/test-fleet.ts';

function pathsOf(changes: readonly Change[]): string[] {
  return changes.map(({ path, before, after }) => {
    if (before === undefined) return `${path}: new`;
    return `${path}: ${after === undefined ? 'gone' : `${JSON.stringify(before)} → ${JSON.stringify(after)}`}`;
  });
}

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
  // What a command changed of a declared backend is undone, and what it added stays.
  expect(pathsOf(preview)).toEqual([
    'backends.a.weight: 7 → 1',
    'backends.c: gone',
    'backends.d: new',
    `limits.connections: ${shared.limits.connections} → 7`,
    `pools.web.drainMs: ${shared.pools[0]?.drainMs} → ${(shared.pools[0]?.drainMs ?? 0) + 1}`,
    'routes.all: gone',
    'routes.api: new',
  ]);
  scheduler.declare(next);
  await vi.waitFor(() => expect(fold.state.config?.hash).toBe('next'));
  expect(fold.state.backends.get('a')?.settings.weight).toBe(1);
  expect(fold.state.backends.get('c')?.removing ?? true).toBe(true);
  expect(fold.state.backends.has('d') && fold.state.backends.has('x')).toBe(true);
  expect(previewConfig(fold.state, next, fleet.clock.now())).toEqual([]);
});

test('a file that the fleet goes by undoes nothing that commands did since', async () => {
  const fleet = newFleet();
  const { fold } = await fleet.start('s1', declared(['a']));
  await fleet.command('backend.update', { backend: 'a', weight: 7 });
  expect(previewConfig(fold.state, declared(['a']), fleet.clock.now())).toEqual([]);
});

test('of a fleet without a configuration everything comes; a backend that drains away and a pool that goes are told', async () => {
  const fleet = newFleet();
  const file = declared(['a', 'b']);
  const { scheduler, fold } = await fleet.start('s1', declared(['a', 'b']));
  const { shared } = file;
  const pools = shared.pools.map((pool) => ({ ...pool, id: 'other' }));
  const moved = { shared: { ...shared, pools, backends: [], routes: [] }, hash: 'moved' };
  expect(pathsOf(previewConfig(fold.state, moved, 0))).toEqual([
    'backends.a: gone',
    'backends.b: gone',
    'pools.other: new',
    'pools.web: gone',
    'routes.all: gone',
  ]);
  scheduler.declare(moved);
  await vi.waitFor(() => expect([...fold.state.pools.keys()]).toEqual(['other']));
});

const route = (id: string) => ({ id, path: `/${id}/*`, pool: 'web', plugins: [], websocket: true });

test('routes in another order are told, and that one comes or goes between them is not another order', async () => {
  const fleet = newFleet();
  const { shared } = declared(['a']);
  const file = (...ids: readonly string[]) => ({
    shared: { ...shared, routes: ids.map(route) },
    hash: ids.join(),
  });
  const { fold } = await fleet.start('s1', file('x', 'y', 'z'));
  expect(pathsOf(previewConfig(fold.state, file('x', 'z', 'y'), 0))).toEqual([
    'routes: ["x","y","z"] → ["x","z","y"]',
  ]);
  expect(pathsOf(previewConfig(fold.state, file('new', 'x', 'z'), 0))).toEqual([
    'routes.new: new',
    'routes.y: gone',
  ]);
});
