import { encodeWords } from '@usher/events';
import { beforeEach, expect, test } from 'vitest';
import { smallFleet, TestAdmin } from './test-admin.ts';

let admin: TestAdmin;
beforeEach(async () => {
  admin = new TestAdmin();
  await admin.write(...smallFleet());
});

const list = async <T>(url: string) => (await admin.get(url)).json<Record<string, T[]>>();

test('the status names position, digest, leader, pools and gateways', async () => {
  const answer = await admin.get('/v1/status');
  expect(answer.statusCode).toBe(200);
  expect(answer.json()).toMatchObject({
    instance: 'one',
    version: '1.2.3',
    position: 1,
    digest: admin.fold.digest(),
    config: null,
    leader: { scheduler: 'one', term: 4 },
    log: { connected: true, since: '2026-01-01T00:00:00.000Z' },
    pools: [{ id: 'web', strategy: 'p2c', backends: 2, eligible: 1 }],
    gateways: [{ id: 'gw1', version: '1.2.3', running: true, startedAt: '2026-01-01T00:00:00.000Z' }],
    degraded: [],
  });
});

test('what is wrong is told in sentences', async () => {
  await admin.write(
    {
      type: 'backend.became_unhealthy',
      subject: 'b1',
      data: { backend: 'b1', cause: '3 probes in a row failed' },
    },
    { type: 'breaker.opened', subject: 'b2', data: { backend: 'b2', untilMs: 5, votes: ['gw1'] } },
    { type: 'gateway.stopped', subject: 'gw1', data: { gateway: 'gw1' } },
  );
  admin.services.push(
    { name: 'collector', fault: () => 'The port is taken.', stop: async () => {} },
    { name: 'health', fault: () => undefined, stop: async () => {} },
  );
  admin.leases = [];
  admin.events.setConnected(false);
  const { degraded } = (await admin.get('/v1/status')).json<{ degraded: string[] }>();
  expect(degraded).toEqual([
    'The event log has been away since 2026-01-01T00:00:00.000Z: commands are refused.',
    'No scheduler is leading: commands are refused.',
    'collector: The port is taken.',
    'No gateway is running.',
    'Pool web has no backend that nothing speaks against: requests go to those with an open breaker, or that nobody has probed yet.',
    'Backend b1 is unhealthy: 3 probes in a row failed.',
    'The breaker of backend b2 is open.',
  ]);
});

const goTo = (whom: string) => `Pool web has no backend that nothing speaks against: requests go to ${whom}.`;

test('of a pool that fails closed, whoever has an open breaker is not said to get requests', async () => {
  const told = async () => (await admin.get('/v1/status')).json<{ degraded: string[] }>().degraded;
  for (const backend of ['b1', 'b2'])
    await admin.write({ type: 'breaker.opened', subject: backend, data: { backend, untilMs: 1, votes: [] } });
  expect(await told()).toContain(goTo('those with an open breaker, or that nobody has probed yet'));
  const { settings } = admin.fold.state.pools.get('web')!;
  const closed = { settings: { ...settings, failOpen: false } };
  await admin.write({ type: 'pool.updated', subject: 'web', data: closed });
  expect(await told()).toContain(goTo('those that nobody has probed yet'));
  await admin.write({
    type: 'backend.became_healthy',
    subject: 'b2',
    data: { backend: 'b2', cause: 'probe' },
  });
  expect(await told()).toContain(goTo('nobody'));
});

test('a pool that has nobody, and one in panic, are told apart', async () => {
  for (const backend of ['b1', 'b2'])
    await admin.write({
      type: 'backend.became_unhealthy',
      subject: backend,
      data: { backend, cause: 'down' },
    });
  const told = async () => (await admin.get('/v1/status')).json<{ degraded: string[] }>().degraded;
  const nobody = goTo('nobody');
  expect(await told()).toContain(nobody);
  const data = { pool: 'web', gateway: 'gw1', eligible: 0, backends: 3 };
  await admin.write({ type: 'pool.panicked', subject: 'web', data });
  expect(await told()).toContain(
    'Pool web is in panic in gateway gw1 since 2026-01-01T00:00:00.000Z: requests go to all of its backends.',
  );
  expect(await told()).not.toContain(nobody);
});

test('the status is answered while the store is away', async () => {
  admin.storeConnected = false;
  const { degraded } = (await admin.get('/v1/status')).json<{ degraded: string[] }>();
  expect(degraded).toEqual(['The state store has been away since 2026-01-01T00:00:00.000Z.']);
});

test('backends are listed with their eligibility, and by pool', async () => {
  const { position, backends } = (await admin.get('/v1/backends')).json<{
    position: number;
    backends: Record<string, unknown>[];
  }>();
  expect(position).toBe(1);
  expect(backends.map(({ id, eligibility }) => [id, eligibility])).toEqual([
    ['b1', 'ok'],
    ['b2', 'unknown'],
  ]);
  expect((await list('/v1/backends?pool=web'))['backends']).toHaveLength(2);
  expect((await admin.get('/v1/backends?pool=none')).statusCode).toBe(404);
});

test('one backend comes whole, with its revision as entity tag', async () => {
  await admin.write(
    {
      type: 'backend.drain_started',
      subject: 'b1',
      data: { backend: 'b1', deadlineMs: 60_000, remove: false },
    },
    {
      type: 'breaker.tripped',
      subject: 'b1',
      data: { backend: 'b1', gateway: 'gw1', failures: 5, requests: 9, untilMs: 7 },
    },
  );
  const answer = await admin.get('/v1/backends/b1');
  expect(answer.headers['etag']).toBe('"2"');
  expect(answer.json()).toEqual({
    id: 'b1',
    pool: 'web',
    url: 'http://10.0.0.1:3000',
    endpoints: [],
    weight: 1,
    zone: null,
    origin: 'config',
    place: null,
    eligibility: 'draining',
    lifecycle: 'draining',
    drainDeadline: '1970-01-01T00:01:00.000Z',
    health: 'healthy',
    healthCause: 'a probe succeeded',
    breaker: 'closed',
    breakerUntil: null,
    trippedBy: ['gw1'],
    ejectedBy: [],
    drain: {
      deadline: '1970-01-01T00:01:00.000Z',
      removing: false,
      gateways: [{ gateway: 'gw1', done: false, inFlight: null }],
    },
    room: 'free',
    allocations: [],
    latencyMs: 0,
    stats: null,
    stale: false,
    requests: 0,
    failures: 0,
    revision: 2,
  });
  expect((await admin.get('/v1/backends/b9')).json()).toMatchObject({
    code: 'not_found',
    detail: 'No backend b9',
  });
});

test('a drain shows what is left in each gateway, and that it is done', async () => {
  const drain = async () => (await admin.get('/v1/status')).json<{ drains: object[] }>().drains;
  admin.hear('usher.in_flight.gw1', encodeWords(1, new Map([['b1', 9]]))[0]!);
  await admin.write({
    type: 'backend.drain_started',
    subject: 'b1',
    data: { backend: 'b1', deadlineMs: 60_000, remove: true },
  });
  const shown = { backend: 'b1', deadline: '1970-01-01T00:01:00.000Z', removing: true };
  const gateway = 'gw1';
  expect(await drain()).toEqual([{ ...shown, gateways: [{ gateway, done: false, inFlight: null }] }]);
  admin.hear('usher.in_flight.gw1', encodeWords(2, new Map([['b1', 3]]))[0]!);
  expect(await drain()).toEqual([{ ...shown, gateways: [{ gateway, done: false, inFlight: 3 }] }]);
  admin.clock.advance(5_000);
  expect(await drain()).toEqual([{ ...shown, gateways: [{ gateway, done: false, inFlight: null }] }]);
  await admin.write({ type: 'backend.emptied', subject: 'b1', data: { backend: 'b1', gateway } });
  expect(await drain()).toEqual([{ ...shown, gateways: [{ gateway, done: true, inFlight: 0 }] }]);
  await admin.write({ type: 'backend.drained', subject: 'b1', data: { backend: 'b1', cause: 'empty' } });
  expect(await drain()).toEqual([]);
});

test('breakers come with the votes on them and what the gateways’ votes are worth', async () => {
  const untilMs = admin.clock.now() + 30_000;
  const until = new Date(untilMs).toISOString();
  const of = { backend: 'b1', gateway: 'gw1', failures: 5, requests: 9, untilMs };
  await admin.write(
    { type: 'breaker.tripped', subject: 'b1', data: of },
    { type: 'breaker.opened', subject: 'b1', data: { backend: 'b1', untilMs, votes: ['gw1'] } },
    { type: 'backend.ejected', subject: 'b1', data: { ...of, cause: 'in_a_row', times: 1 } },
    {
      type: 'gateway.suspected',
      subject: 'gw1',
      data: { gateway: 'gw1', tripped: 4, used: 5 },
    },
  );
  expect((await admin.get('/v1/breakers?pool=web')).json()).toMatchObject({
    breakers: [
      {
        backend: 'b1',
        phase: 'open',
        until,
        openings: 1,
        votes: { for: ['gw1'], against: [], uncounted: [] },
        ejectedBy: [{ gateway: 'gw1', until }],
      },
      { backend: 'b2', phase: 'closed', votes: { uncounted: [{ gateway: 'gw1', why: 'silent' }] } },
    ],
    gateways: [{ gateway: 'gw1', used: 1, tripped: 1, trust: 'trusted', suspectSince: expect.any(String) }],
  });
  expect((await admin.get('/v1/breakers?pool=none')).statusCode).toBe(404);
  const { degraded } = (await admin.get('/v1/status')).json<{ degraded: string[] }>();
  expect(degraded).toContain(`Gateway gw1 has ejected backend b1 until ${until}.`);
  expect(degraded[0]).toMatch(/^Gateway gw1 fails against 4 of the 5 backends that it uses/);
});

test('what is away is told with the time since when', async () => {
  admin.outages.push({ part: 'collector', sinceMs: 1_000, what: 'Nobody collects' });
  expect((await admin.get('/v1/status')).json()).toMatchObject({
    outages: [{ part: 'collector', since: '1970-01-01T00:00:01.000Z', what: 'Nobody collects' }],
    degraded: ['Nobody collects (since 1970-01-01T00:00:01.000Z).'],
  });
});

test('pools come with their settings and backends', async () => {
  expect((await list('/v1/pools'))['pools']).toMatchObject([
    {
      id: 'web',
      strategy: 'p2c',
      health: { type: 'tcp' },
      origin: 'config',
      revision: 1,
      backends: [
        { id: 'b1', eligibility: 'ok' },
        { id: 'b2', eligibility: 'unknown' },
      ],
    },
  ]);
});

test('there are no routes until a configuration was applied, then those', async () => {
  expect((await list('/v1/routes'))['routes']).toEqual([]);
  const route = { id: 'r1', path: '/*', pool: 'web', plugins: [], websocket: true };
  const zeros = {
    requestHeaderMs: 0,
    connectMs: 0,
    responseMs: 0,
    bodyIdleMs: 0,
    idleMs: 0,
    backendIdleMs: 0,
    requestMs: 0,
    upgradeIdleMs: 0,
    shutdownMs: 0,
  };
  const limits = {
    requestBodyBytes: 0,
    bodyRateBytesPerS: 0,
    headerBytes: 0,
    headerCount: 0,
    connections: 0,
    connectionsPerIp: 0,
    requestsPerConnection: 0,
    upgrades: 0,
  };
  const policy = { routes: [route], timeouts: zeros, limits, trustedProxies: [] };
  await admin.write({ type: 'config.applied', subject: 'fleet', data: { revision: 1, hash: 'h', policy } });
  expect((await list('/v1/routes'))['routes']).toEqual([route]);
});

test('gateways are listed', async () => {
  expect((await list('/v1/gateways'))['gateways']).toMatchObject([{ id: 'gw1', requests: 0, errors: 0 }]);
});

test.each([
  '/v1/status',
  '/v1/backends',
  '/v1/backends/b1',
  '/v1/breakers',
  '/v1/pools',
  '/v1/routes',
  '/v1/gateways',
  '/v1/events',
])('reading needs a token and takes no parameters it does not know: %s', async (url) => {
  expect((await admin.app.inject(url)).statusCode).toBe(401);
  const answer = await admin.get(`${url}?colour=red`);
  expect(answer.statusCode).toBe(400);
  expect(answer.json<{ detail: string }>().detail).toContain('Unknown query parameter colour');
});
