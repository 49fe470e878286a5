import type { PolicySettings } from '@usher/domain';
import { envelop } from '@usher/events';
import { expect, test } from 'vitest';
import { FleetFold } from './fleet-fold.ts';

/** A fold of which a plugin's options are as given. */
function foldWith(options: Record<string, unknown>): FleetFold {
  const policy = {
    routes: [{ id: 'all', path: '/*', pool: 'web', plugins: [{ name: 'mine', options }], websocket: true }],
  } as Partial<PolicySettings> as PolicySettings;
  const fold = new FleetFold();
  const events = envelop(
    [{ type: 'config.applied', subject: 'fleet', data: { revision: 1, hash: 'h', policy } }],
    { source: 'usher/test/t', timeMs: 1000, actor: 'test' },
    () => 'id-1',
  );
  fold.apply({ position: 1, subject: 'usher.events.scheduler.control', events, quarantined: [] });
  return fold;
}

test.each([
  [{ $map: 'not entries' }],
  [{ $map: [['a', 1]] }],
  [{ $set: 5 }],
  [{ $set: [1, 2], more: true }],
  [{ $object: [['a', 1]] }],
  [{ nested: [{ $object: { $map: { $set: null } } }] }],
])('options of a plugin that look like a tag of the format come back as they were: %j', (options) => {
  const fold = foldWith(options);
  const restored = FleetFold.restore(fold.snapshot());
  expect(restored?.digest()).toBe(fold.digest());
  expect(restored?.state.config?.policy.routes[0]?.plugins[0]?.options).toEqual(options);
});

test.each([
  ['{'],
  ['null'],
  ['{}'],
  ['{"state":{"pools":[]},"recent":[]}'],
  ['{"state":{"$map":7},"recent":[]}'],
])('a snapshot that is no state is not used: %s', (state) => {
  const { format } = new FleetFold().snapshot();
  expect(FleetFold.restore({ position: 1, format, state })).toBeUndefined();
});
