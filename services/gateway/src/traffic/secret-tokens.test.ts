import { randomBytes } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSecret } from '@usher/config';
import type { TokenKeySettings } from '@usher/domain';
import { hmacSigner, signedToken, tempDir, tokenKey } from '@usher/testing';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { until } from '../testing/http.ts';
import { bothLanes, LANES, type LaneName, LimitedFleet } from '../testing/limited-gateway.ts';

// Whole gateways with their threads: a busy machine may take its time.
vi.setConfig({ testTimeout: 30_000 });

const OLD = randomBytes(24).toString('hex');
const NEW = randomBytes(24).toString('hex');
const OWN = randomBytes(24).toString('hex');
const open = tokenKey('ES256');
const exp = Math.floor(Date.now() / 1000) + 3600;
const token = (secret: string, header: object = {}, claims: object = {}) =>
  signedToken({ alg: 'HS256', ...header }, { iss: 'i', aud: 'shop', exp, ...claims }, hmacSigner(secret));

const folder = tempDir();
const at = (name: string) => join(folder.path, name);
/** As careful writers do. */
const write = (name: string, text: string) => {
  writeFileSync(at(`${name}.new`), `${text}\n`);
  renameSync(at(`${name}.new`), at(name));
};
const env: Record<string, string> = { OWN, EMPTY: '', SHORT: 'x8-4_q.zV', KNOWN: 'changeme'.repeat(6) };

const secret = (reference: string, id?: string): TokenKeySettings => ({ id, algorithm: 'HS256', reference });
const jwt = (...keys: readonly TokenKeySettings[]) => ({ jwt: { issuer: 'i', audience: 'shop', keys } });
const FILE = `file:${at('secret')}`;
const ES256 = { algorithm: 'ES256', key: open.publicKey } as const;
const routes = bothLanes(
  { id: 'file', path: '/file', traffic: jwt(secret(FILE, 'one')) },
  { id: 'both', path: '/both', traffic: jwt(secret('env:OWN'), ES256) },
  { id: 'gone', path: '/gone', traffic: jwt(secret('env:NOWHERE'), ES256) },
  ...['EMPTY', 'SHORT', 'KNOWN'].map((name) => ({
    id: name,
    path: `/${name}`,
    traffic: jwt(secret(`env:${name}`)),
  })),
  { id: 'pem', path: '/pem', traffic: jwt(secret(`file:${at('pem')}`)) },
);

const secretOf = (reference: string) => readSecret(reference, env);

let fleet: LimitedFleet;
let port: number;
beforeAll(async () => {
  write('secret', OLD);
  write('pem', open.publicKey.trim());
  fleet = new LimitedFleet();
  await fleet.configure({ routes });
  port = await fleet.gateway({ secrets: { secretOf, keyFile: undefined } });
});
afterAll(async () => {
  await fleet.close();
  folder.remove();
});

const statusOf = async (path: string, shown: string, lane: LaneName = 'wire') =>
  (await fleet.ask(port, lane, { path, headers: { authorization: `Bearer ${shown}` } })).status;

describe.each(LANES)('through %s', (lane) => {
  test('tokens that are signed with a secret are good from the first request on', async () => {
    expect(await statusOf('/file', token(OLD, { kid: 'one' }), lane)).toBe(200);
    expect(await statusOf('/both', token(OWN), lane)).toBe(200);
  });

  test.each([
    ['another secret', token(NEW)],
    ['an empty secret', token('')],
    ['the name of the secret', token('env:OWN')],
    [
      'the algorithm none',
      signedToken({ alg: 'none' }, { iss: 'i', aud: 'shop', exp }, () => Buffer.alloc(0)),
    ],
    ['another hash', token(OWN, { alg: 'HS512' })],
    ['the public key as a secret', token(open.publicKey)],
    ['the public key of a file as a secret', token(open.publicKey.trim())],
    ['the secret under the algorithm of the public key', token(OWN, { alg: 'ES256' })],
    ['a token of yesterday', token(OWN, {}, { exp: exp - 90_000 })],
  ])('%s is refused, also after a good token', async (_name, shown) => {
    await statusOf('/both', token(OWN), lane);
    expect(await statusOf('/both', shown, lane)).toBe(401);
  });

  test('a key is for one algorithm, also beside others', async () => {
    const signed = (sign: typeof open.sign) =>
      signedToken({ alg: 'ES256' }, { iss: 'i', aud: 'shop', exp }, sign);
    expect(await statusOf('/both', signed(open.sign), lane)).toBe(200);
    expect(await statusOf('/both', signed(hmacSigner(OWN)), lane)).toBe(401);
    expect(await statusOf('/gone', signed(open.sign), lane)).toBe(200);
  });
});

test.each([
  ['env:NOWHERE', '/gone', token('undefined'), 'the environment variable NOWHERE is not set'],
  ['env:EMPTY', '/EMPTY', token(''), 'the environment variable EMPTY is empty'],
  ['env:SHORT', '/SHORT', token(env['SHORT']!), 'HS256 needs a secret of 32 bytes or more'],
  ['env:KNOWN', '/KNOWN', token(env['KNOWN']!), 'a secret that everybody tries: too easy to guess'],
  [`file:${at('pem')}`, '/pem', token(open.publicKey.trim()), 'a key in PEM form is for another algorithm'],
])('%s is no secret: it lets nobody in, and the log says why', async (reference, path, shown, cause) => {
  expect(await statusOf(path, shown)).toBe(401);
  expect(fleet.fleet.log.entries).toContainEqual({
    level: 'error',
    message: 'a secret for tokens cannot be used',
    fields: expect.objectContaining({ reference, cause: expect.stringContaining(cause) }),
  });
  expect(fleet.gateways[0]?.fault()).toContain('a secret for tokens at env:NOWHERE cannot be used');
});

test('a secret that changes counts a moment later, and one that is lost stays as it was', async () => {
  expect(await statusOf('/file', token(OLD))).toBe(200);
  write('secret', NEW);
  await until(async () => (await statusOf('/file', token(NEW))) === 200, 'the new secret');
  expect(await statusOf('/file', token(OLD))).toBe(401);
  write('secret', 'short');
  await until(
    () => fleet.fleet.log.entries.some(({ fields }) => fields?.['reference'] === FILE),
    'the loss being told',
  );
  expect(await statusOf('/file', token(NEW))).toBe(200);
  expect(await statusOf('/file', token('short'))).toBe(401);
});

test('no secret is in the log of events or in a line of the log', () => {
  const written = JSON.stringify([fleet.fleet.history, fleet.fleet.log.entries]);
  expect(written).toContain('env:OWN');
  for (const each of [OLD, NEW, OWN, env['SHORT']!, env['KNOWN']!]) expect(written).not.toContain(each);
});
