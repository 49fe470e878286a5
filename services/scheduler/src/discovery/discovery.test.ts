import type { DiscoverySettings } from '@usher/domain';
import { expect, test, vi } from 'vitest';
import { declared, newFleet, started } from '../testing/test-fleet.ts';

const BOUNDS = { refreshMinMs: 5_000, refreshMaxMs: 60_000 };
const DNS: DiscoverySettings = { by: 'dns', tls: false, name: 'web.internal', port: 3000, ...BOUNDS };
const SRV: DiscoverySettings = { by: 'srv', tls: false, name: '_http._tcp.web.internal', ...BOUNDS };
const FILE: DiscoverySettings = { by: 'file', file: '/etc/usher/web.yaml' };

/** A file whose pool `web` is looked for there, beside the backends named. */
function finding(discovery: DiscoverySettings | undefined, backendIds: readonly string[] = []) {
  const { shared, hash } = declared(backendIds, JSON.stringify([backendIds, discovery]));
  const pools = shared.pools.map((pool) => (discovery === undefined ? pool : { ...pool, discovery }));
  return { shared: { ...shared, pools }, hash };
}

type Fleet = ReturnType<typeof newFleet>;
type Started = Awaited<ReturnType<Fleet['start']>>;

/** What of each backend the tests are about. */
function seen({ fold }: Started): Record<string, string> {
  return Object.fromEntries(
    Array.from(fold.state.backends, ([id, { settings, lifecycle, origin }]) => [
      id,
      `${origin} ${lifecycle} ${settings.url} ${settings.weight}`,
    ]),
  );
}

const become = (leader: Started, expected: Record<string, string>) =>
  vi.waitFor(() => expect(seen(leader)).toEqual(expected));

const A = 'web-10-0-0-1-3000';
const B = 'web-10-0-0-2-3000';
const active = (url: string, weight = 1) => `discovery active ${url} ${weight}`;

test('every address of a name is a backend, and the log says why', async () => {
  const fleet = newFleet();
  fleet.resolver.names.set('web.internal', ['10.0.0.2', '10.0.0.1', 'fd00::1']);
  const leader = await fleet.start('s1', finding(DNS));
  await become(leader, {
    [A]: active('http://10.0.0.1:3000'),
    [B]: active('http://10.0.0.2:3000'),
    'web-fd00--1-3000': active('http://[fd00::1]:3000'),
  });
  const reasons: unknown[] = [];
  await leader.events.replay(0, ({ events }) => {
    for (const { type, actor, reason } of events)
      if (type === 'backend.registered') reasons.push([actor, reason]);
  });
  expect(reasons).toEqual(Array.from({ length: 3 }, () => ['s1', 'found by the addresses of web.internal']));
});

test('an address where no backend may be is left out, and told', async () => {
  const fleet = newFleet();
  fleet.resolver.names.set('web.internal', ['10.0.0.1', '169.254.169.254', 'fe80::1']);
  const leader = await fleet.start('s1', finding(DNS));
  await become(leader, { [A]: active('http://10.0.0.1:3000') });
  expect(leader.context.log).toMatchObject({
    entries: expect.arrayContaining([
      expect.objectContaining({
        level: 'warn',
        fields: expect.objectContaining({ urls: 'http://169.254.169.254:3000, http://[fe80::1]:3000' }),
      }),
    ]),
  });
});

test('nor is the process that decides a backend, whatever a name server says', async () => {
  const fleet = newFleet();
  fleet.resolver.names.set('web.internal', ['10.0.0.1', '10.0.0.9']);
  const leader = await fleet.start('s1', finding({ ...DNS, port: 9901 }));
  await become(leader, { 'web-10-0-0-1-9901': active('http://10.0.0.1:9901') });
  const urls = 'http://10.0.0.9:9901';
  expect(leader.context.log).toMatchObject({
    entries: expect.arrayContaining([expect.objectContaining({ fields: expect.objectContaining({ urls }) })]),
  });
});

test('an address that vanishes drains and goes, one that comes back meanwhile stays', async () => {
  const fleet = newFleet();
  fleet.resolver.names.set('web.internal', ['10.0.0.1', '10.0.0.2']);
  const leader = await fleet.start('s1', finding(DNS));
  await fleet.facts(leader.events, [started('gw-1')]);
  await become(leader, { [A]: active('http://10.0.0.1:3000'), [B]: active('http://10.0.0.2:3000') });
  fleet.resolver.names.set('web.internal', ['10.0.0.1']);
  fleet.clock.advance(11_000);
  await become(leader, {
    [A]: active('http://10.0.0.1:3000'),
    [B]: 'discovery draining http://10.0.0.2:3000 1',
  });
  fleet.resolver.names.set('web.internal', ['10.0.0.1', '10.0.0.2']);
  fleet.clock.advance(11_000);
  await become(leader, { [A]: active('http://10.0.0.1:3000'), [B]: active('http://10.0.0.2:3000') });
});

test('the last good answer stays while DNS fails, has lost the name, or knows one family only', async () => {
  const fleet = newFleet();
  fleet.resolver.names.set('web.internal', ['10.0.0.1', 'fd00::1']);
  const leader = await fleet.start('s1', finding(DNS));
  const both = { [A]: active('http://10.0.0.1:3000'), 'web-fd00--1-3000': active('http://[fd00::1]:3000') };
  await become(leader, both);
  const tells = (fault: string | undefined) =>
    vi.waitFor(() => {
      fleet.clock.advance(61_000);
      expect(leader.scheduler.fault()).toBe(fault);
    });
  fleet.resolver.names.delete('web.internal');
  await tells('the backends of pool web: no answer for web.internal');
  fleet.resolver.names.set('web.internal', []);
  await tells('the backends of pool web: web.internal has no address');
  fleet.resolver.names.set('web.internal', ['10.0.0.1', 'fd00::1']);
  fleet.resolver.silent.add(6);
  await tells('the backends of pool web: no answer for web.internal');
  fleet.resolver.silent.clear();
  await tells(undefined);
  expect(seen(leader)).toEqual(both);
  fleet.resolver.names.set('web.internal', ['10.0.0.1']);
  await vi.waitFor(() => {
    fleet.clock.advance(61_000);
    expect(Object.keys(seen(leader))).toEqual([A]);
  });
});

test.each([
  [0, 5_000],
  [20_000, 20_000],
  [86_400_000, 60_000],
])(
  'records that hold for %i ms are asked for again after %i ms and up to a tenth more',
  async (ttlMs, ms) => {
    const fleet = newFleet();
    fleet.resolver.ttlMs = ttlMs;
    fleet.resolver.names.set('web.internal', ['10.0.0.1']);
    const leader = await fleet.start('s1', finding(DNS));
    await become(leader, { [A]: active('http://10.0.0.1:3000') });
    const { asked } = fleet.resolver;
    fleet.clock.advance(ms - 1);
    expect(fleet.resolver.asked).toBe(asked);
    fleet.clock.advance(ms / 10 + 1);
    expect(fleet.resolver.asked).toBe(asked + 2);
  },
);

test('SRV records say port, weight and priority; the addresses of a target share its weight', async () => {
  const fleet = newFleet();
  fleet.resolver.records.set('_http._tcp.web.internal', [
    { target: 'b.internal', port: 81, priority: 20, weight: 0 },
    { target: 'a.internal', port: 80, priority: 10, weight: 60 },
  ]);
  fleet.resolver.names.set('a.internal', ['10.0.0.1', '10.0.0.2']);
  fleet.resolver.names.set('b.internal', ['10.0.0.3']);
  const leader = await fleet.start('s1', finding(SRV));
  await become(leader, {
    'web-10-0-0-1-80': active('http://10.0.0.1', 30),
    'web-10-0-0-2-80': active('http://10.0.0.2', 30),
    'web-10-0-0-3-81': active('http://10.0.0.3:81', 1),
  });
  const priorities = [...leader.fold.state.backends.values()].map(({ settings }) => settings.priority);
  expect(priorities).toEqual([10, 10, 20]);
  fleet.resolver.records.set('_http._tcp.web.internal', [
    { target: 'a.internal', port: 80, priority: 10, weight: 65_535 },
    { target: '.', port: 0, priority: 0, weight: 0 },
  ]);
  fleet.clock.advance(11_000);
  await vi.waitFor(() => expect(seen(leader)['web-10-0-0-1-80']).toBe(active('http://10.0.0.1', 500)));
  expect(seen(leader)).not.toHaveProperty('web-10-0-0-3-81', active('http://10.0.0.3:81', 1));
});

test('SRV records and targets that cannot be asked stay as they were', async () => {
  const fleet = newFleet();
  fleet.resolver.records.set('_http._tcp.web.internal', [
    { target: 'a.internal', port: 80, priority: 0, weight: 1 },
    { target: 'b.internal', port: 80, priority: 0, weight: 1 },
  ]);
  fleet.resolver.names.set('a.internal', ['10.0.0.1']);
  fleet.resolver.names.set('b.internal', ['10.0.0.2']);
  const leader = await fleet.start('s1', finding(SRV));
  const both = {
    'web-10-0-0-1-80': active('http://10.0.0.1'),
    'web-10-0-0-2-80': active('http://10.0.0.2'),
  };
  await become(leader, both);
  fleet.resolver.names.delete('b.internal');
  fleet.clock.advance(11_000);
  await vi.waitFor(() => expect(leader.scheduler.fault()).toContain('no answer for b.internal'));
  fleet.resolver.silent.add('srv');
  fleet.clock.advance(61_000);
  await vi.waitFor(() => expect(leader.scheduler.fault()).toContain('no answer for _http'));
  expect(seen(leader)).toEqual(both);
});

test('a file is followed; a faulty one changes nothing, and all its faults are told once', async () => {
  const fleet = newFleet();
  fleet.files.write('/etc/usher/web.yaml', [{ id: 'a', url: 'http://10.0.0.1:80' }]);
  const leader = await fleet.start('s1', finding(FILE));
  await become(leader, { a: active('http://10.0.0.1:80') });
  for (let time = 0; time < 2; time++)
    fleet.files.write('/etc/usher/web.yaml', ['first fault', 'second fault']);
  await vi.waitFor(() => expect(leader.scheduler.fault()).toContain('first fault; second fault'));
  expect(seen(leader)).toEqual({ a: active('http://10.0.0.1:80') });
  expect(leader.context.log).toMatchObject({
    entries: expect.arrayContaining([
      expect.objectContaining({ level: 'error', fields: expect.objectContaining({ cause: 'first fault' }) }),
      expect.objectContaining({ level: 'error', fields: expect.objectContaining({ cause: 'second fault' }) }),
    ]),
  });
  fleet.files.write('/etc/usher/web.yaml', [{ id: 'b', url: 'http://10.0.0.2:80', weight: 3 }]);
  await vi.waitFor(() => expect(seen(leader)['b']).toBe(active('http://10.0.0.2:80', 3)));
  await vi.waitFor(() => {
    fleet.clock.advance(100);
    expect(Object.keys(seen(leader))).toEqual(['b']);
  });
});

test('what was declared elsewhere stays as it was declared', async () => {
  const fleet = newFleet();
  fleet.files.write('/etc/usher/web.yaml', [
    { id: 'a', url: 'http://10.6.6.6:80' },
    { id: 'o', url: 'http://10.6.6.6:81' },
  ]);
  const leader = await fleet.start('s1', finding(undefined, ['a']));
  await fleet.command('backend.add', {
    settings: { id: 'o', pool: 'web', url: 'http://10.9.9.9', weight: 1 },
  });
  leader.scheduler.declare(finding(FILE, ['a']));
  fleet.files.write('/etc/usher/web.yaml', [
    { id: 'a', url: 'http://10.6.6.6:80' },
    { id: 'o', url: 'http://10.6.6.6:81' },
    { id: 'n', url: 'http://10.6.6.6:82' },
  ]);
  await become(leader, {
    a: 'config active http://10.0.0.1:80 1',
    o: 'command active http://10.9.9.9 1',
    n: active('http://10.6.6.6:82'),
  });
});

test('commands say what the source does not, and are refused what it says', async () => {
  const fleet = newFleet();
  fleet.resolver.names.set('web.internal', ['10.0.0.1']);
  const leader = await fleet.start('s1', finding(DNS));
  await become(leader, { [A]: active('http://10.0.0.1:3000') });
  expect(await fleet.command('backend.update', { backend: A, weight: 7 })).toMatchObject({ ok: true });
  await fleet.command('backend.disable', { backend: A });
  for (const [name, data] of [
    ['backend.update', { backend: A, url: 'http://10.0.0.9' }],
    ['backend.remove', { backend: A }],
  ] as const)
    expect(await fleet.command(name, data)).toMatchObject({ ok: false, problem: { code: 'conflict' } });
  fleet.resolver.names.set('web.internal', ['10.0.0.1', '10.0.0.2']);
  fleet.clock.advance(11_000);
  await become(leader, {
    [A]: 'discovery disabled http://10.0.0.1:3000 7',
    [B]: active('http://10.0.0.2:3000'),
  });
});

test('only the leader looks, and who comes to lead goes on', async () => {
  const fleet = newFleet();
  fleet.resolver.names.set('web.internal', ['10.0.0.1']);
  const leader = await fleet.start('s1', finding(DNS));
  await become(leader, { [A]: active('http://10.0.0.1:3000') });
  const standby = await fleet.start('s2', finding(DNS));
  const { asked } = fleet.resolver;
  await leader.scheduler.stop();
  fleet.clock.advance(30_000);
  await vi.waitFor(() => expect(standby.fold.state.leader?.scheduler).toBe('s2'));
  await vi.waitFor(() => expect(fleet.resolver.asked).toBe(asked + 2));
  fleet.resolver.names.set('web.internal', ['10.0.0.2']);
  fleet.clock.advance(11_000);
  await vi.waitFor(() => expect(seen(standby)[B]).toBe(active('http://10.0.0.2:3000')));
});

test('a pool that is not looked for any more lets go of what was found, and of nothing else', async () => {
  const fleet = newFleet();
  fleet.resolver.names.set('web.internal', ['10.0.0.2']);
  const leader = await fleet.start('s1', finding(DNS, ['a']));
  const declaredOne = { a: 'config active http://10.0.0.1:80 1' };
  await become(leader, { ...declaredOne, [B]: active('http://10.0.0.2:3000') });
  leader.scheduler.declare(finding({ ...DNS, name: 'moved.internal' }, ['a']));
  await vi.waitFor(() => expect(leader.scheduler.fault()).toContain('moved.internal'));
  expect(seen(leader)).toEqual({ ...declaredOne, [B]: active('http://10.0.0.2:3000') });
  leader.scheduler.declare(finding(undefined, ['a']));
  await vi.waitFor(() => {
    fleet.clock.advance(1_000);
    expect(seen(leader)).toEqual(declaredOne);
  });
  const { asked } = fleet.resolver;
  fleet.clock.advance(600_000);
  expect(fleet.resolver.asked).toBe(asked);
});
