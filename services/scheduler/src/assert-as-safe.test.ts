import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { declared, newFleet } from './testing/test-fleet.ts';

const key = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' });
const jwt = { issuer: 'i', audience: 'a', keys: [{ algorithm: 'EdDSA', key }] };
const clients = { allow: ['10.0.0.0/8'], deny: [] };
const open = { id: 'open', path: '/open/*', pool: 'web' };
const plugins = [{ name: 'auth', file: '/etc/usher/auth.mjs', options: {} }];
const guarded = { id: 'guarded', path: '/guarded/*', pool: 'web', traffic: { jwt, clients } };

/** A fleet whose route `guarded` asks for a token, and what it answers to those who may operate it. */
async function newGuarded() {
  const fleet = newFleet();
  const { fold } = await fleet.start('s1', declared(['a']));
  expect(await fleet.command('route.add', { settings: guarded })).toMatchObject({ ok: true });
  expect(await fleet.command('pool.add', { settings: { id: 'other' } })).toMatchObject({ ok: true });
  const operate = (name: string, data: object) => fleet.command(name, data, { role: 'operate' });
  return { fold, operate, admin: fleet.command };
}

const REFUSED = { ok: false, problem: { code: 'forbidden', detail: expect.stringContaining('role admin') } };

test.each([
  ['a certificate that is not looked at', 'pool.update', { pool: 'web', tls: { verify: false } }],
  ['a pool that begins so', 'pool.add', { settings: { id: 'p', tls: { verify: false } } }],
  ['a route without its guards', 'route.update', { route: 'guarded', traffic: null }],
  ['a guard said to be none', 'route.update', { route: 'guarded', traffic: { jwt: 'none', clients } }],
  [
    'a guard that others pass',
    'route.update',
    { route: 'guarded', traffic: { jwt, clients: { ...clients, allow: ['0.0.0.0/0'] } } },
  ],
  ['a guarded route that moves', 'route.update', { route: 'guarded', path: '/other/*' }],
  ['a guarded route that goes', 'route.remove', { route: 'guarded' }],
  ['a way past a guard', 'route.add', { settings: open }],
  [
    'a part of a route that goes past a guard',
    'route.add',
    { settings: { ...open, pool: 'other', split: { pools: [{ pool: 'web', share: 0.5 }] } } },
  ],
])('%s needs the role admin', async (_what, name, data) => {
  const { fold, operate, admin } = await newGuarded();
  const digest = fold.digest();
  expect(await operate(name, data)).toMatchObject(REFUSED);
  expect(fold.digest()).toBe(digest);
  expect(await admin(name, data)).toMatchObject({ ok: true });
});

describe('an open route to the pool of a guarded one', () => {
  test.each([
    ['other paths that backends get', { traffic: { rewrite: { strip: '/open', add: '/guarded' } } }],
    ['a path below the guarded one', { path: '/guarded/more/*' }],
    ['another host', { host: 'a.example' }],
  ])('gets %s from administrators alone', async (_what, change) => {
    const { operate, admin } = await newGuarded();
    expect(await admin('route.add', { settings: open })).toMatchObject({ ok: true });
    expect(await operate('route.update', { route: 'open', ...change })).toMatchObject(REFUSED);
    expect(await operate('route.update', { route: 'open', priority: 'critical' })).toMatchObject({
      ok: true,
    });
    expect(await admin('route.update', { route: 'open', ...change })).toMatchObject({ ok: true });
    expect(await operate('route.update', { route: 'open', ...change, websocket: false })).toMatchObject({
      ok: true,
    });
  });
});

test('the last guarded route of a pool leaves it for administrators alone', async () => {
  const { operate, admin } = await newGuarded();
  expect(await operate('route.update', { route: 'guarded', pool: 'other' })).toMatchObject(REFUSED);
  const more = { settings: { ...guarded, id: 'more', path: '/more/*' } };
  expect(await operate('route.add', more)).toMatchObject({ ok: true });
  expect(await operate('route.update', { route: 'guarded', pool: 'other' })).toMatchObject({ ok: true });
  expect(await operate('route.update', { route: 'more', pool: 'other' })).toMatchObject(REFUSED);
  expect(await admin('route.update', { route: 'more', pool: 'other' })).toMatchObject({ ok: true });
});

test('where a pool is looked for is for administrators', async () => {
  const { operate, admin } = await newGuarded();
  const discovery = {
    by: 'dns',
    name: 'x.internal',
    port: 80,
    tls: false,
    refreshMinMs: 1_000,
    refreshMaxMs: 60_000,
  };
  expect(await operate('pool.update', { pool: 'other', discovery })).toMatchObject(REFUSED);
  expect(await operate('pool.add', { settings: { id: 'p', discovery } })).toMatchObject(REFUSED);
  expect(await admin('pool.update', { pool: 'other', discovery })).toMatchObject({ ok: true });
  expect(await operate('pool.update', { pool: 'other', discovery, strategy: 'p2c' })).toMatchObject({
    ok: true,
  });
  expect(await operate('pool.update', { pool: 'other', discovery: null })).toMatchObject({ ok: true });
});

test('whoever operates may add guards, say those in force again, and change all else', async () => {
  const { operate } = await newGuarded();
  for (const [name, data] of [
    ['route.add', { settings: { ...guarded, id: 'more', path: '/guarded/more/*' } }],
    ['route.update', { route: 'guarded', priority: 'critical' }],
    ['pool.update', { pool: 'web', tls: { verify: true } }],
    ['pool.add', { settings: { id: 'p' } }],
    ['route.add', { settings: { ...open, pool: 'p' } }],
    ['route.update', { route: 'open', traffic: { clients } }],
  ] as const)
    expect(await operate(name, data), `${name} ${JSON.stringify(data)}`).toMatchObject({ ok: true });
});

/** A fleet whose file has a plugin of somebody’s own at the route `all`. */
async function newPlugged() {
  const fleet = newFleet();
  const file = declared(['a']);
  const routes = file.shared.routes.map((route) => ({ ...route, plugins }));
  const pools = [...file.shared.pools, { ...file.shared.pools[0]!, id: 'other' }];
  await fleet.start('s1', { ...file, shared: { ...file.shared, routes, pools } });
  return (name: string, data: object) => fleet.command(name, data, { role: 'operate' });
}

describe('a plugin of somebody’s own', () => {
  test('is a guard that only administrators take away', async () => {
    const operate = await newPlugged();
    for (const [name, data] of [
      ['route.update', { route: 'all', plugins: [] }],
      ['route.update', { route: 'all', plugins: [{ name: 'gzip', options: {} }] }],
      ['route.update', { route: 'all', path: '/other/*' }],
      ['route.remove', { route: 'all' }],
      ['route.add', { settings: open }],
    ] as const)
      expect(await operate(name, data), JSON.stringify(data)).toMatchObject(REFUSED);
    for (const [name, data] of [
      ['route.update', { route: 'all', plugins: [...plugins, { name: 'gzip', options: {} }] }],
      ['route.add', { settings: { ...open, plugins } }],
      ['route.add', { settings: { ...open, id: 'more', path: '/more/*', pool: 'other' } }],
    ] as const)
      expect(await operate(name, data), JSON.stringify(data)).toMatchObject({ ok: true });
  });

  test('that comes with Usher is no guard', async () => {
    const { operate } = await newGuarded();
    const gzip = { name: 'gzip', options: {} };
    for (const plugs of [[gzip], []])
      expect(await operate('route.update', { route: 'all', plugins: plugs })).toMatchObject({ ok: true });
  });
});

const SECRET = 'http://10.0.0.1:80';
const OWN = 'http://10.0.9.1:80';
const mirror = (pool: string) => ({ mirror: { pool, share: 1 } });

/** Beside a guarded route: an open route `free` to the pool `other`, which has the backend `o`, and a pool without routes. */
async function newBeside() {
  const fleet = await newGuarded();
  for (const [name, data] of [
    ['pool.add', { settings: { id: 'idle' } }],
    ['backend.add', { settings: { id: 'o', pool: 'other', url: OWN } }],
    ['route.add', { settings: { ...open, id: 'free', path: '/free/*', pool: 'other' } }],
  ] as const)
    expect(await fleet.admin(name, data)).toMatchObject({ ok: true });
  return fleet;
}

describe('past a guard', () => {
  test.each([
    ['copies of an open route', 'route.add', { settings: { ...open, pool: 'other', ...mirror('web') } }],
    ['copies of a route that is there', 'route.update', { route: 'free', ...mirror('web') }],
    [
      'a backend at the address of a guarded one',
      'backend.add',
      { settings: { id: 'n', pool: 'other', url: SECRET } },
    ],
    [
      'that address written otherwise',
      'backend.add',
      { settings: { id: 'n', pool: 'other', url: 'https://[::ffff:10.0.0.1]:80/' } },
    ],
    ['a backend that moves there', 'backend.update', { backend: 'o', url: SECRET }],
    [
      'a backend with an endpoint there',
      'backend.update',
      { backend: 'o', endpoints: [{ path: '/x/*', url: SECRET }] },
    ],
  ])('%s need the role admin', async (_what, name, data) => {
    const { operate, admin } = await newBeside();
    expect(await operate(name, data)).toMatchObject(REFUSED);
    expect(await admin(name, data)).toMatchObject({ ok: true });
  });

  test('nobody gets in two steps, by a pool that has no route yet', async () => {
    const { operate } = await newBeside();
    const there = { settings: { id: 'n', pool: 'idle', url: SECRET } };
    expect(await operate('backend.add', there)).toMatchObject({ ok: true });
    expect(await operate('route.add', { settings: { ...open, pool: 'idle' } })).toMatchObject(REFUSED);
    expect(await operate('route.update', { route: 'free', pool: 'idle' })).toMatchObject(REFUSED);
    expect(
      await operate('route.add', { settings: { ...guarded, id: 'g', path: '/g/*', pool: 'idle' } }),
    ).toMatchObject({
      ok: true,
    });
  });

  test('nobody gets by copies that an administrator has allowed to the answers', async () => {
    const { operate, admin } = await newBeside();
    expect(await admin('route.update', { route: 'free', ...mirror('web') })).toMatchObject({ ok: true });
    expect(
      await operate('route.update', { route: 'free', ...mirror('web'), priority: 'critical' }),
    ).toMatchObject({
      ok: true,
    });
    expect(await operate('route.update', { route: 'free', pool: 'web', mirror: null })).toMatchObject(
      REFUSED,
    );
  });

  test('what stays apart from it may be changed', async () => {
    const { operate } = await newBeside();
    for (const [name, data] of [
      ['backend.add', { settings: { id: 'n', pool: 'other', url: 'http://10.0.0.1:81' } }],
      ['backend.add', { settings: { id: 'm', pool: 'web', url: OWN } }],
      ['backend.update', { backend: 'o', weight: 3 }],
      ['route.update', { route: 'free', ...mirror('idle') }],
    ] as const)
      expect(await operate(name, data), JSON.stringify(data)).toMatchObject({ ok: true });
  });
});
