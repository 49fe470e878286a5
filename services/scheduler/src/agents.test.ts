import { expect, test, vi } from 'vitest';
import { declared, newFleet, started } from './testing/test-fleet.ts';

/** A file whose pool `web` takes agents, with the backends named. */
function withAgents(backendIds: readonly string[], agents = true) {
  const { shared, hash } = declared(backendIds, `${backendIds.join()}-${agents}`);
  return { shared: { ...shared, pools: shared.pools.map((pool) => ({ ...pool, agents })) }, hash };
}

const settings = { id: 'n', pool: 'web', url: 'http://10.0.1.1:80', weight: 1 };

test('an announced backend is registered as an agent’s, with its place', async () => {
  const fleet = newFleet();
  const { fold } = await fleet.start('s1', withAgents(['a']));
  const placed = { ...settings, place: { latitude: 0, longitude: -180 } };
  expect(await fleet.command('backend.announce', { settings: placed })).toMatchObject({
    ok: true,
    events: ['backend.registered'],
  });
  const backend = fold.state.backends.get('n');
  expect([backend?.origin, backend?.health, backend?.settings]).toEqual(['agent', 'unknown', placed]);
});

test('announced again it changes nothing, or what is new', async () => {
  const fleet = newFleet();
  const { fold } = await fleet.start('s1', withAgents(['a']));
  await fleet.command('backend.announce', { settings });
  expect(await fleet.command('backend.announce', { settings })).toMatchObject({ ok: true, events: [] });
  const moved = { ...settings, url: 'http://10.0.1.2:80' };
  expect(await fleet.command('backend.announce', { settings: moved })).toMatchObject({
    events: ['backend.updated'],
  });
  expect(fold.state.backends.get('n')?.settings.url).toBe('http://10.0.1.2:80');
  const endpoints = [{ path: '/api/*', url: 'http://10.0.1.2:81' }];
  await fleet.command('backend.announce', { settings: { ...moved, endpoints } });
  expect(fold.state.backends.get('n')?.settings.endpoints).toEqual(endpoints);
  const broken = { ...moved, endpoints: [{ path: '/api/*', url: 'http://10.0.1.2:81/x' }] };
  expect(await fleet.command('backend.announce', { settings: broken })).toMatchObject({
    ok: false,
    problem: { code: 'invalid_input' },
  });
});

test('a pool that takes no agents refuses it, as does one that is not there', async () => {
  const fleet = newFleet();
  await fleet.start('s1', withAgents(['a'], false));
  const refused = async (data: object) => await fleet.command('backend.announce', { settings: data });
  expect(await refused(settings)).toMatchObject({ ok: false, problem: { code: 'forbidden' } });
  const elsewhere = { ...settings, pool: 'none' };
  expect(await refused(elsewhere)).toMatchObject({ ok: false, problem: { code: 'not_found' } });
  const nowhere = { ...settings, place: { latitude: 91, longitude: 0 } };
  expect(await refused(nowhere)).toMatchObject({ ok: false, problem: { code: 'invalid_input' } });
});

test('a backend where none may be is refused, whatever its endpoint is for', async () => {
  const fleet = newFleet();
  const { fold } = await fleet.start('s1', withAgents(['a']));
  const endpoints = [{ path: '/api/*', url: 'http://169.254.169.254' }];
  for (const data of [
    { ...settings, url: 'http://169.254.169.254' },
    { ...settings, url: 'http://[fe80::1]:80' },
    { ...settings, endpoints },
  ])
    expect(await fleet.command('backend.announce', { settings: data })).toMatchObject({
      ok: false,
      problem: { code: 'forbidden', detail: expect.stringContaining('key `targets` of pool web says where') },
    });
  expect(fold.state.backends.has('n')).toBe(false);
});

test('neither agents nor operators put a backend where the process itself listens', async () => {
  const fleet = newFleet();
  const { scheduler, fold } = await fleet.start('s1', withAgents(['a']));
  const own = [
    'http://127.0.0.1:9900',
    'http://localhost:9900',
    'http://[::1]:9900',
    'http://10.0.0.9:9901',
    'http://admin.example:9903',
  ];
  for (const url of own)
    for (const [name, data] of [
      ['backend.announce', { settings: { ...settings, url } }],
      ['backend.announce', { settings: { ...settings, endpoints: [{ path: '/x', url }] } }],
      ['backend.add', { settings: { ...settings, url } }],
      ['backend.update', { backend: 'a', url }],
    ] as const)
      expect(await fleet.command(name, data), `${name} ${url}`).toMatchObject({
        ok: false,
        problem: { code: 'forbidden', detail: expect.stringContaining('this process itself listens') },
      });
  const beside = { ...settings, url: 'http://127.0.0.1:9902' };
  expect(await fleet.command('backend.announce', { settings: beside })).toMatchObject({ ok: true });

  const file = withAgents(['a', 'b']);
  const backends = file.shared.backends.map((each) =>
    each.id === 'b' ? { ...each, url: 'http://127.0.0.1:9900' } : each,
  );
  scheduler.declare({ shared: { ...file.shared, backends }, hash: 'own' });
  await vi.waitFor(() => expect(fold.state.backends.get('b')?.settings.url).toBe('http://127.0.0.1:9900'));
  expect(await fleet.command('backend.update', { backend: 'b', weight: 3 })).toMatchObject({ ok: true });
});

test('nobody puts a backend where no gateway would look for it, or by another way to write an address', async () => {
  const fleet = newFleet();
  const { fold } = await fleet.start('s1', withAgents(['a']));
  for (const host of ['0x7f.1', '127.1', '0xa9fe.43518', 'localhost.', '127.0.0.1.', 'a b'])
    for (const [name, data] of [
      ['backend.announce', { settings: { ...settings, url: `http://${host}:9900` } }],
      ['backend.add', { settings: { ...settings, endpoints: [{ path: '/x', url: `http://${host}:9900` }] } }],
      ['backend.update', { backend: 'a', url: `http://${host}:9900` }],
    ] as const)
      expect(await fleet.command(name, data), `${name} ${host}`).toMatchObject({
        ok: false,
        problem: { code: expect.stringMatching(/^(invalid_input|forbidden)$/) },
      });
  expect(fold.state.backends.has('n')).toBe(false);
});

test('operators are held to the same targets; only a file may put a backend anywhere', async () => {
  const fleet = newFleet();
  const { scheduler, fold } = await fleet.start('s1', withAgents(['a'], false));
  const url = 'http://169.254.169.254';
  for (const [name, data] of [
    ['backend.add', { settings: { ...settings, url } }],
    ['backend.add', { settings: { ...settings, endpoints: [{ path: '/api/*', url }] } }],
    ['backend.update', { backend: 'a', url }],
  ] as const)
    expect(await fleet.command(name, data)).toMatchObject({ ok: false, problem: { code: 'forbidden' } });
  expect(await fleet.command('backend.update', { backend: 'a', weight: 2 })).toMatchObject({ ok: true });
  const { shared } = withAgents([]);
  scheduler.declare({ shared: { ...shared, backends: [{ ...settings, url }] }, hash: 'anywhere' });
  await vi.waitFor(() => expect(fold.state.backends.get('n')?.settings.url).toBe(url));
});

test('the targets of a pool say where its agents’ backends may be, also of those that are there', async () => {
  const fleet = newFleet();
  const { scheduler, fold } = await fleet.start('s1', withAgents(['a']));
  await fleet.command('backend.announce', { settings });
  await fleet.command('backend.announce', {
    settings: { ...settings, id: 'm', url: 'http://m.farm.example:80' },
  });
  const { shared } = withAgents(['a']);
  const targets = { networks: ['10.0.2.0/24'], names: ['*.farm.example'] };
  const pools = shared.pools.map((pool) => ({ ...pool, targets }));
  scheduler.declare({ shared: { ...shared, pools }, hash: 'narrow' });
  await vi.waitFor(() => expect(fold.state.backends.get('n')?.removing ?? true).toBe(true));
  expect(fold.state.backends.get('m')?.lifecycle).toBe('active');
  expect(await fleet.command('backend.announce', { settings })).toMatchObject({ ok: false });
  const allowed = { ...settings, id: 'k', url: 'http://10.0.2.1:80' };
  expect(await fleet.command('backend.announce', { settings: allowed })).toMatchObject({ ok: true });
});

test('what a file or an operator declared stays theirs', async () => {
  const fleet = newFleet();
  const { fold } = await fleet.start('s1', withAgents(['a']));
  await fleet.command('backend.add', { settings: { ...settings, id: 'o' } });
  const declaredStates = () => JSON.stringify(['a', 'o'].map((id) => fold.state.backends.get(id)));
  const before = declaredStates();
  for (const id of ['a', 'o']) {
    const other = { ...settings, id, url: 'http://10.66.66.66:80' };
    expect(await fleet.command('backend.announce', { settings: other })).toMatchObject({
      ok: true,
      events: [],
    });
    expect(await fleet.command('backend.withdraw', { backend: id })).toMatchObject({ ok: true, events: [] });
  }
  expect(declaredStates()).toBe(before);
});

test('withdrawn it drains and goes; announced meanwhile, it stays', async () => {
  const fleet = newFleet();
  const { fold, events } = await fleet.start('s1', withAgents(['a']));
  await fleet.facts(events, [started('gw-1')]);
  await fleet.command('backend.announce', { settings });
  await fleet.command('backend.withdraw', { backend: 'n' });
  expect(fold.state.backends.get('n')).toMatchObject({ lifecycle: 'draining', removing: true });
  await fleet.command('backend.announce', { settings });
  expect(fold.state.backends.get('n')).toMatchObject({ lifecycle: 'active', removing: false });
  expect(await fleet.command('backend.withdraw', { backend: 'nobody' })).toMatchObject({
    ok: true,
    events: [],
  });
});

test('a backend that an operator disabled stays disabled when its agent starts again', async () => {
  const fleet = newFleet();
  const { fold } = await fleet.start('s1', withAgents(['a']));
  await fleet.command('backend.announce', { settings });
  await fleet.command('backend.disable', { backend: 'n' });
  await fleet.command('backend.announce', { settings });
  expect(fold.state.backends.get('n')?.lifecycle).toBe('disabled');
});

test('an agent’s backend stays when a file that never declared it changes, and goes with its pool', async () => {
  const fleet = newFleet();
  const first = await fleet.start('s1', withAgents(['a']));
  await fleet.command('backend.announce', { settings });
  await first.scheduler.stop();
  const second = await fleet.start('s2', withAgents(['a', 'b']));
  expect(second.fold.state.backends.get('n')?.removing).toBe(false);
  await second.scheduler.stop();
  const { shared } = withAgents(['a']);
  const pools = shared.pools.map((pool) => ({ ...pool, id: 'other' }));
  const third = await fleet.start('s3', { shared: { ...shared, pools, backends: [] }, hash: 'other' });
  expect(third.fold.state.backends.has('n')).toBe(false);
});

test('a file that declares an agent’s backend takes it over', async () => {
  const fleet = newFleet();
  const first = await fleet.start('s1', withAgents(['a']));
  await fleet.command('backend.announce', { settings });
  await first.scheduler.stop();
  const { fold } = await fleet.start('s2', withAgents(['a', 'n']));
  expect(fold.state.backends.get('n')).toMatchObject({
    origin: 'config',
    settings: { url: 'http://10.0.0.2:80' },
  });
  await fleet.command('backend.announce', { settings });
  expect(fold.state.backends.get('n')?.settings.url).toBe('http://10.0.0.2:80');
});
