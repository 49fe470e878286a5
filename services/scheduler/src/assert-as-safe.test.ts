import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { declared, newFleet } from './testing/test-fleet.ts';

const key = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' });
const jwt = { issuer: 'i', audience: 'a', keys: [{ algorithm: 'EdDSA', key }] };
const clients = { allow: ['10.0.0.0/8'], deny: [] };
const open = { id: 'open', path: '/open/*', pool: 'web' };
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
