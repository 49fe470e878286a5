import type { EventDraft } from '@usher/events';
import { expect, test, vi } from 'vitest';
import { declared, newFleet, started } from './testing/test-fleet.ts';

test('a command is answered with the events it led to, and the same command again changes nothing', async () => {
  const fleet = newFleet();
  const { fold } = await fleet.start('s1', declared(['a']));
  const answer = await fleet.command('backend.disable', { backend: 'a' }, { id: 'same' });
  expect(answer).toEqual({
    ok: true,
    position: fold.position,
    events: ['backend.disabled'],
    repeated: false,
  });
  await fleet.command('backend.enable', { backend: 'a' });
  expect(await fleet.command('backend.disable', { backend: 'a' }, { id: 'same' })).toEqual({
    ...answer,
    repeated: true,
  });
  expect(fold.state.backends.get('a')?.lifecycle).toBe('active');
});

const weightOfA = (weight: number) => ({ backend: 'a', weight });

test('what a command asks for that is so already is accepted, changes nothing, and is remembered', async () => {
  const fleet = newFleet();
  const { fold } = await fleet.start('s1', declared(['a']));
  const more = { id: 'now' };
  expect(await fleet.command('backend.update', weightOfA(1), more)).toMatchObject({ ok: true, events: [] });
  await fleet.command('backend.update', weightOfA(5));
  expect(await fleet.command('backend.update', weightOfA(1), more)).toMatchObject({
    ok: true,
    repeated: true,
  });
  expect(fold.state.backends.get('a')?.settings.weight).toBe(5);
});

test('the id of a command is refused to another command', async () => {
  const fleet = newFleet();
  const { fold } = await fleet.start('s1', declared(['a']));
  const more = { id: 'mine' };
  expect(await fleet.command('backend.drain', { backend: 'a' }, more)).toMatchObject({ ok: true });
  for (const [name, data] of [
    ['backend.enable', { backend: 'a' }],
    ['backend.drain', { backend: 'a', deadlineMs: 1 }],
  ] as const) {
    expect(await fleet.command(name, data, more)).toMatchObject({
      ok: false,
      problem: { code: 'conflict', detail: expect.stringContaining('another command') },
    });
  }
  expect(fold.state.backends.get('a')?.lifecycle).toBe('draining');
});

function withEndpoint(endpoint: { readonly path: string; readonly url: string }) {
  return { id: 'n', pool: 'web', url: 'http://h', endpoints: [endpoint], weight: 1 };
}

test('a backend is added with its endpoints and its place', async () => {
  const fleet = newFleet();
  const { fold } = await fleet.start('s1', declared(['a']));
  const place = { latitude: 0, longitude: 0 };
  const settings = { ...withEndpoint({ path: '/api/*', url: 'http://10.0.0.9:81' }), place };
  expect(await fleet.command('backend.add', { settings })).toMatchObject({ ok: true });
  expect(fold.state.backends.get('n')?.settings).toEqual(settings);
});

test('a backend’s endpoints and its place are changed and taken away, and what is not named stays', async () => {
  const fleet = newFleet();
  const { fold } = await fleet.start('s1', declared(['a']));
  const seen = () => fold.state.backends.get('a')?.settings;
  const change = async (data: object) => await fleet.command('backend.update', { backend: 'a', ...data });
  const before = seen();
  const place = { latitude: 0, longitude: -180 };
  const endpoints = [{ path: '/api/*', url: 'http://10.0.0.9:81' }];
  expect(await change({ endpoints, place })).toMatchObject({ ok: true, events: ['backend.updated'] });
  expect(seen()).toEqual({ ...before, endpoints, place });
  await change({ weight: 3 });
  expect(seen()).toEqual({ ...before, endpoints, place, weight: 3 });
  expect(await change({ endpoints })).toMatchObject({ ok: true, events: [] });
  await change({ endpoints: [], place: null, weight: before?.weight });
  expect(seen()).toEqual(before);
});

test.each([
  ['backend.drain', { backend: 'nobody' }, {}, 'not_found'],
  ['backend.add', { settings: { id: 'a', pool: 'web', url: 'http://h', weight: 1 } }, {}, 'conflict'],
  ['backend.add', { settings: { id: 'n', pool: 'none', url: 'http://h', weight: 1 } }, {}, 'not_found'],
  ['backend.add', { settings: { id: 'n', pool: 'web', url: 'ftp://h', weight: 1 } }, {}, 'invalid_input'],
  ['backend.add', { settings: { id: 'n n', pool: 'web', url: 'http://h', weight: 1 } }, {}, 'invalid_input'],
  ['backend.add', { settings: withEndpoint({ path: 'api/*', url: 'http://h' }) }, {}, 'invalid_input'],
  ['backend.add', { settings: withEndpoint({ path: '/api/*', url: 'http://h/x' }) }, {}, 'invalid_input'],
  ['backend.announce', { settings: withEndpoint({ path: '/', url: 'h' }) }, {}, 'forbidden'],
  ['backend.update', { backend: 'a', url: 'http://h/path' }, {}, 'invalid_input'],
  ['backend.update', { backend: 'a', endpoints: [{ path: 'x', url: 'http://h' }] }, {}, 'invalid_input'],
  ['backend.update', { backend: 'a', endpoints: [{ path: '/x', url: 'h' }] }, {}, 'invalid_input'],
  ['backend.update', { backend: 'a', place: { latitude: 91, longitude: 0 } }, {}, 'invalid_input'],
  ['backend.update', { backend: 'a', weight: -1 }, {}, 'invalid_input'],
  ['backend.explode', { backend: 'a' }, {}, 'invalid_input'],
  ['backend.disable', { backend: 'a', extra: 1 }, {}, 'invalid_input'],
  ['pool.set_strategy', { pool: 'web', strategy: 'magic' }, {}, 'invalid_input'],
  ['pool.set_strategy', { pool: 'web', strategy: 'custom' }, {}, 'conflict'],
  ['backend.disable', { backend: 'a' }, { expectRevision: 99 }, 'conflict'],
])('%s %j %j is refused with %s', async (name, data, more, code) => {
  const fleet = newFleet();
  const { fold } = await fleet.start('s1', declared(['a']));
  const before = fold.digest();
  expect(await fleet.command(name, data, more)).toMatchObject({ ok: false, problem: { code } });
  expect(fold.digest()).toBe(before);
});

test('of two changes to one revision exactly one is accepted', async () => {
  const fleet = newFleet();
  const { fold } = await fleet.start('s1', declared(['a']));
  const expectRevision = fold.state.backends.get('a')?.revision;
  const answers = await Promise.all([
    fleet.command('backend.update', { backend: 'a', weight: 2 }, { expectRevision }),
    fleet.command('backend.update', { backend: 'a', weight: 3 }, { expectRevision }),
  ]);
  expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
});

const emptied = (gateway: string, revision?: number): EventDraft => ({
  type: 'backend.emptied',
  subject: 'a',
  data: { backend: 'a', gateway, ...(revision === undefined ? {} : { revision }) },
});

test('a removed backend drains first and goes when every running gateway is done with it', async () => {
  const fleet = newFleet();
  const { fold, events } = await fleet.start('s1', declared(['a', 'b']));
  await fleet.facts(events, [started('gw-1'), started('gw-2')]);
  await fleet.command('backend.remove', { backend: 'a' });
  await fleet.facts(events, [emptied('gw-1')]);
  fleet.clock.advance(1000);
  expect(fold.state.backends.get('a')?.lifecycle).toBe('draining');
  await fleet.facts(events, [emptied('gw-2')]);
  fleet.clock.advance(100);
  await vi.waitFor(() => expect(fold.state.backends.has('a')).toBe(false));
});

test('what a gateway says of a drain late does not end a later one', async () => {
  const fleet = newFleet();
  const { fold, events } = await fleet.start('s1', declared(['a', 'b']));
  const revision = () => fold.state.backends.get('a')!.revision;
  await fleet.facts(events, [started('gw-1')]);
  await fleet.command('backend.drain', { backend: 'a' });
  const first = revision();
  await fleet.command('backend.enable', { backend: 'a' });
  await fleet.command('backend.drain', { backend: 'a' });
  await fleet.facts(events, [emptied('gw-1', first)]);
  fleet.clock.advance(1000);
  expect(fold.state.backends.get('a')?.emptiedBy.size).toBe(0);
  expect(fold.state.backends.get('a')?.lifecycle).toBe('draining');
  await fleet.facts(events, [emptied('gw-1', revision())]);
  fleet.clock.advance(100);
  await vi.waitFor(() => expect(fold.state.backends.get('a')?.lifecycle).toBe('drained'));
});

test('another address makes what probes found void', async () => {
  const fleet = newFleet();
  const { fold, events } = await fleet.start('s1', declared(['a']));
  const healthy = {
    type: 'backend.became_healthy',
    subject: 'a',
    data: { backend: 'a', cause: '200' },
  } as const;
  await fleet.facts(events, [healthy]);
  const place = { latitude: 1, longitude: 2 };
  await fleet.command('backend.update', { backend: 'a', weight: 5, place });
  expect(fold.state.backends.get('a')?.health).toBe('healthy');
  const endpoints = [{ path: '/x', url: 'http://10.1.1.1:81' }];
  await fleet.command('backend.update', { backend: 'a', endpoints });
  expect(fold.state.backends.get('a')?.health).toBe('unknown');
  await fleet.facts(events, [healthy]);
  expect(fold.state.backends.get('a')?.health).toBe('healthy');
  await fleet.command('backend.update', { backend: 'a', url: 'http://10.1.1.1:80' });
  expect(fold.state.backends.get('a')?.health).toBe('unknown');
});
