import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import {
  hmacSigner,
  RecordingLog,
  SimulatedClock,
  signedToken,
  type TokenKey,
  tempDir,
  tokenKey,
} from '@usher/testing';
import { afterEach, expect, test, vi } from 'vitest';
import { JwtVerifier } from './verifier.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** A server that publishes keys; what it answers can be replaced. */
async function startIssuer(keys: readonly unknown[]) {
  const issuer = { keys, asked: 0, answer: undefined as Answer | undefined, url: '' };
  const server = createServer((request, response) => {
    issuer.asked += 1;
    if (issuer.answer === undefined) response.end(JSON.stringify({ keys: issuer.keys }));
    else issuer.answer(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  issuer.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`;
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return issuer;
}
type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const clock = new SimulatedClock();
const log = new RecordingLog();

function verifierFor(jwks: { readonly url: string } | { readonly file: string }, on = clock): JwtVerifier {
  const verifier = new JwtVerifier(
    { issuer: 'i', audience: 'usher', keys: [], jwks, algorithms: ['RS256', 'ES256', 'EdDSA'] },
    { clock: on, log },
  );
  closing.push(() => verifier.stop());
  return verifier;
}

const jwk = (key: TokenKey, kid: string, more: object = {}) => ({ ...key.jwk, kid, ...more });
const token = (key: TokenKey, kid: string | undefined, alg = 'ES256') =>
  signedToken({ alg, kid }, { iss: 'i', aud: 'usher', exp: clock.now() / 1000 + 1e6 }, key.sign);
const takes = async (verifier: JwtVerifier, text: string) => (await verifier.verify(text)).ok;
const one = tokenKey('ES256');
const two = tokenKey('ES256');

test('a key that is published later is found when a token names it, and one that is withdrawn is forgotten', async () => {
  const issuer = await startIssuer([jwk(one, '1')]);
  const verifier = verifierFor(issuer);
  expect(await takes(verifier, token(one, '1'))).toBe(true);
  issuer.keys = [jwk(two, '2')];
  clock.advance(30_000);
  expect(await takes(verifier, token(two, '2'))).toBe(true);
  expect(issuer.asked).toBe(2);
  expect(await takes(verifier, token(one, '1'))).toBe(false);
});

test('keys are read again every ten minutes, whether tokens ask for it or not', async () => {
  const issuer = await startIssuer([jwk(one, '1')]);
  const verifier = verifierFor(issuer);
  await vi.waitUntil(async () => await takes(verifier, token(one, '1')));
  issuer.keys = [jwk(two, '1')];
  expect(await takes(verifier, token(two, '1'))).toBe(false);
  clock.advance(600_000);
  await vi.waitUntil(async () => await takes(verifier, token(two, '1')));
  expect(await takes(verifier, token(one, '1'))).toBe(false);
});

test('tokens that name unknown keys make the issuer be asked twice a minute at most', async () => {
  const issuer = await startIssuer([jwk(one, '1')]);
  const verifier = verifierFor(issuer);
  await takes(verifier, token(one, '1'));
  const flood = () =>
    Promise.all(Array.from({ length: 200 }, (_, at) => takes(verifier, token(two, `unknown-${at}`))));
  await flood();
  expect(issuer.asked).toBe(1);
  clock.advance(30_000);
  expect((await flood()).includes(true)).toBe(false);
  expect(issuer.asked).toBe(2);
});

test('tokens without a kid, or for algorithms that are not used, never make the issuer be asked', async () => {
  const issuer = await startIssuer([jwk(one, '1')]);
  const verifier = verifierFor(issuer);
  await takes(verifier, token(one, '1'));
  clock.advance(30_000);
  const hmac = signedToken({ alg: 'HS256', kid: 'x' }, { exp: 1e12 }, hmacSigner(one.publicKey));
  for (const text of [token(two, undefined), hmac, 'rubbish', `${'a'.repeat(9000)}.b.c`])
    expect(await takes(verifier, text)).toBe(false);
  expect(issuer.asked).toBe(1);
});

test.each<[string, Answer]>([
  ['fails', (_request, response) => response.writeHead(500).end()],
  ['hangs up', (request) => request.destroy()],
  ['answers with something else', (_request, response) => response.end('<html>')],
  ['answers with no set', (_request, response) => response.end('[]')],
  [
    'has no key of use',
    (_request, response) => response.end('{"keys":[{"kty":"oct","k":"AAAA","kid":"1"}]}'),
  ],
  ['sends elsewhere', (_request, response) => response.writeHead(302, { location: '/jwks.json' }).end()],
  [
    'sends more than anyone needs',
    (_request, response) => response.end(`{"keys":[],"more":"${'x'.repeat(300_000)}"}`),
  ],
])('while the issuer %s, the last known keys stay in use', async (_what, answer) => {
  const issuer = await startIssuer([jwk(one, '1')]);
  const verifier = verifierFor(issuer);
  expect(await takes(verifier, token(one, '1'))).toBe(true);
  issuer.answer = answer;
  clock.advance(600_000);
  await vi.waitUntil(() =>
    log.entries.some(({ message }) => message.startsWith('the keys for tokens cannot')),
  );
  expect(await takes(verifier, token(one, '1'))).toBe(true);
  log.entries.length = 0;
  // It is tried again soon, and then goes by the new ones.
  issuer.answer = undefined;
  issuer.keys = [jwk(two, '2')];
  clock.advance(30_000);
  await vi.waitUntil(async () => await takes(verifier, token(two, '2')));
  expect(await takes(verifier, token(one, '1'))).toBe(false);
});

test('the query of a URL, which may be a key for it, is in no word about it', async () => {
  const issuer = await startIssuer([]);
  issuer.answer = (_request, response) => response.writeHead(500).end();
  const query = '?k=query-key-of-issuer';
  const verifier = verifierFor({ url: issuer.url + query });
  expect(await takes(verifier, token(one, '1'))).toBe(false);
  expect(log.entries.find(({ level }) => level === 'error')).toMatchObject({ fields: { where: issuer.url } });
  expect(JSON.stringify(log.entries)).not.toContain('query-key');
});

test('keys with secrets, for other purposes, too weak or off their curve are not used', async () => {
  const good = tokenKey('RS256');
  const weak = tokenKey('RS256', 1024);
  const ed = tokenKey('EdDSA');
  const secret = Buffer.from('k'.repeat(32)).toString('base64url');
  const issuer = await startIssuer([
    { kty: 'oct', k: secret, kid: 'oct', alg: 'HS256' },
    jwk(weak, 'weak'),
    jwk(one, 'enc', { use: 'enc' }),
    jwk(one, 'sign', { key_ops: ['sign'] }),
    jwk(one, 'alg', { alg: 'ES384' }),
    jwk(one, 'curve', { crv: 'P-384' }),
    jwk(two, 'point', { x: one.jwk['x'] }),
    { ...jwk(ed, 'x25519'), crv: 'X25519' },
    null,
    'text',
    jwk(good, 'good', { use: 'sig', alg: 'RS256', x5u: 'http://127.0.0.1:1/' }),
  ]);
  const verifier = verifierFor(issuer);
  expect(await takes(verifier, token(good, 'good', 'RS256'))).toBe(true);
  for (const kid of ['enc', 'sign', 'alg', 'curve'])
    expect(await takes(verifier, token(one, kid))).toBe(false);
  expect(await takes(verifier, token(weak, 'weak', 'RS256'))).toBe(false);
  expect(await takes(verifier, token(two, 'point'))).toBe(false);
  expect(await takes(verifier, token(ed, 'x25519', 'EdDSA'))).toBe(false);
  const forged = signedToken(
    { alg: 'HS256', kid: 'oct' },
    { iss: 'i', aud: 'usher', exp: 1e12 },
    hmacSigner('k'.repeat(32)),
  );
  expect(await takes(verifier, forged)).toBe(false);
});

test('a file with keys is read again when it changes', async () => {
  const dir = tempDir();
  const file = join(dir.path, 'jwks.json');
  writeFileSync(file, JSON.stringify({ keys: [jwk(one, '1')] }));
  const own = new SimulatedClock();
  const verifier = verifierFor({ file }, own);
  await vi.waitUntil(async () => await takes(verifier, token(one, '1')));
  writeFileSync(file, JSON.stringify({ keys: [jwk(two, '1')] }));
  // Also on a file system that reports no changes.
  own.advance(30_000);
  await vi.waitUntil(async () => await takes(verifier, token(two, '1')));
  dir.remove();
});

test('a start without the issuer is no failure, and its keys are taken up once it is there', async () => {
  const issuer = await startIssuer([jwk(one, '1')]);
  issuer.answer = (request) => request.destroy();
  const verifier = verifierFor(issuer);
  expect(await takes(verifier, token(one, '1'))).toBe(false);
  issuer.answer = undefined;
  clock.advance(30_000);
  await vi.waitUntil(async () => await takes(verifier, token(one, '1')));
});

test('nothing is left behind when it stops', async () => {
  const issuer = await startIssuer([jwk(one, '1')]);
  const own = new SimulatedClock();
  const verifier = verifierFor(issuer, own);
  expect(await takes(verifier, token(one, '1'))).toBe(true);
  verifier.stop();
  expect(own.timers).toBe(0);
});
