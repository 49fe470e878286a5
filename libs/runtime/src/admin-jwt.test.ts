import { hmacSigner, part, RecordingLog, SimulatedClock, signedToken, tokenKey } from '@usher/testing';
import { afterAll, expect, test } from 'vitest';
import { createAdminApp } from './admin-server.ts';
import { systemRandom } from './random.ts';

const SECRET = '3f9e8d7c6b5a49382716f5e4d3c2b1a0-hmac';
const rsa = tokenKey('RS256');
const ec = tokenKey('ES256');
const ed = tokenKey('EdDSA');
const hmac = hmacSigner(SECRET);

const clock = new SimulatedClock();
const nowS = clock.now() / 1000;
const CLAIMS = { iss: 'https://issuer', aud: 'usher', sub: 'ann', role: 'operate', exp: nowS + 60 };
const HS = { alg: 'HS256', kid: 'h' };
const GOOD = signedToken(HS, CLAIMS, hmac);
const [HEAD = '', BODY = '', SIGNATURE = ''] = GOOD.split('.');

const log = new RecordingLog();
const app = createAdminApp({
  host: '127.0.0.1',
  port: 0,
  tokens: [{ name: 'static', secret: 'a-static-token-of-ours', role: 'admin' }],
  jwt: {
    issuer: 'https://issuer',
    audience: 'usher',
    roleClaim: 'role',
    algorithms: ['RS256', 'ES256', 'EdDSA'],
    keys: [
      { id: 'h', algorithm: 'HS256', key: SECRET },
      { id: 'r', algorithm: 'RS256', key: rsa.publicKey },
      { id: 'e', algorithm: 'ES256', key: ec.publicKey },
      { id: 'd', algorithm: 'EdDSA', key: ed.publicKey },
    ],
  },
  allow: ['127.0.0.0/8'],
  limits: { bodyBytes: 1024, connections: 10, connectionsPerIp: 10, requestsPerS: 10_000 },
  clock,
  log,
  random: systemRandom(),
  health: () => ({ status: 'ok', services: [] }),
  register: (routes) => {
    routes.get('/read', { config: { role: 'read' } }, ({ identity }) => identity);
    routes.post('/admin', { config: { role: 'admin' } }, () => ({}));
  },
});
afterAll(async () => await app.close());

const show = async (token: string) =>
  await app.inject({ url: '/read', headers: { authorization: `Bearer ${token}` } });
const claims = (changes: object) => signedToken(HS, { ...CLAIMS, ...changes }, hmac);

test.each([
  ['HS256', GOOD],
  ['RS256', signedToken({ alg: 'RS256', kid: 'r' }, CLAIMS, rsa.sign)],
  ['ES256', signedToken({ alg: 'ES256', kid: 'e' }, CLAIMS, ec.sign)],
  ['EdDSA', signedToken({ alg: 'EdDSA', kid: 'd' }, CLAIMS, ed.sign)],
  ['no kid, where one key only is of its algorithm', signedToken({ alg: 'RS256' }, CLAIMS, rsa.sign)],
  ['a type in other letters', signedToken({ ...HS, typ: 'at+JWT' }, CLAIMS, hmac)],
  ['a list of audiences with ours', claims({ aud: ['other', 'usher'] })],
  ['a list of roles, the greatest of which counts', claims({ role: ['read', 'guest', 'operate'] })],
  ['an expiry that has passed within the leeway', claims({ exp: nowS - 29 })],
  ['a start within the leeway', claims({ nbf: nowS + 29, iat: nowS + 29 })],
])('a token is taken with %s', async (_what, token) => {
  const answer = await show(token);
  expect([answer.statusCode, answer.json()]).toEqual([200, { name: 'jwt:ann', role: 'operate' }]);
});

test.each<[string, string]>([
  ['alg none and no signature', `${part({ alg: 'none', kid: 'h' })}.${BODY}.`],
  ['alg none in other letters', `${part({ alg: 'nOnE' })}.${BODY}.`],
  ['alg none and the signature of another', `${part({ alg: 'none', kid: 'h' })}.${BODY}.${SIGNATURE}`],
  ['no alg', signedToken({ kid: 'h' }, CLAIMS, hmac)],
  ['alg in small letters', signedToken({ ...HS, alg: 'hs256' }, CLAIMS, hmac)],
  ['a public key as the secret', signedToken({ alg: 'HS256', kid: 'r' }, CLAIMS, hmacSigner(rsa.publicKey))],
  [
    'a public key as the secret, and no kid',
    signedToken({ alg: 'HS256' }, CLAIMS, hmacSigner(rsa.publicKey)),
  ],
  [
    'a public key as the secret, without its last line break',
    signedToken({ alg: 'HS256', kid: 'r' }, CLAIMS, hmacSigner(rsa.publicKey.trim())),
  ],
  ['an algorithm of the same family', signedToken({ alg: 'RS512', kid: 'r' }, CLAIMS, rsa.sign)],
  ['another padding', signedToken({ alg: 'PS256', kid: 'r' }, CLAIMS, rsa.sign)],
  ['a signature in DER', signedToken({ alg: 'ES256', kid: 'e' }, CLAIMS, ec.signInDer)],
  ['a signature of zeros', signedToken({ alg: 'ES256', kid: 'e' }, CLAIMS, () => Buffer.alloc(64))],
  ['an empty signature', `${HEAD}.${BODY}.`],
  ['a signature cut short', signedToken(HS, CLAIMS, (signed) => hmac(signed).subarray(0, 16))],
  ['a key that is not ours', signedToken({ alg: 'EdDSA', kid: 'd' }, CLAIMS, tokenKey('EdDSA').sign)],
  ['other claims under the same signature', `${HEAD}.${part({ ...CLAIMS, role: 'admin' })}.${SIGNATURE}`],
  ['a kid that is a path', signedToken({ ...HS, kid: '../../dev/null' }, CLAIMS, hmacSigner(''))],
  ['a kid that is a URL', signedToken({ ...HS, kid: 'file:///dev/null' }, CLAIMS, hmacSigner(''))],
  ['a kid that every object has', signedToken({ ...HS, kid: '__proto__' }, CLAIMS, hmac)],
  ['a kid that is a query', signedToken({ ...HS, kid: "h' OR 1=1" }, CLAIMS, hmac)],
  ['a kid that is no text', signedToken({ ...HS, kid: { h: 1 } }, CLAIMS, hmac)],
  ['a kid of another key', signedToken({ ...HS, kid: 'r' }, CLAIMS, hmac)],
  ['a kid of 257 characters', signedToken({ ...HS, kid: 'h'.repeat(257) }, CLAIMS, hmac)],
  ['a key of its own', signedToken({ alg: 'EdDSA', kid: 'q', jwk: ed.jwk }, CLAIMS, ed.sign)],
  [
    'a key set of its own',
    signedToken({ alg: 'EdDSA', kid: 'q', jku: 'http://127.0.0.1/jwks' }, CLAIMS, ed.sign),
  ],
  ['something critical that nobody knows', signedToken({ ...HS, crit: ['b64'], b64: false }, CLAIMS, hmac)],
  ['another purpose', signedToken({ ...HS, typ: 'logout+jwt' }, CLAIMS, hmac)],
  ['an expiry in the past', claims({ exp: nowS - 31 })],
  ['no expiry', claims({ exp: undefined })],
  ['an expiry that is a text', claims({ exp: String(nowS + 60) })],
  [
    'an expiry at infinity',
    signedToken(HS, JSON.stringify(CLAIMS).replace(/"exp":\d+/, '"exp":1e400'), hmac),
  ],
  ['a start in the future', claims({ nbf: nowS + 31 })],
  ['an issue in the future', claims({ iat: nowS + 31 })],
  ['another audience', claims({ aud: 'other' })],
  ['no audience', claims({ aud: undefined })],
  ['an audience that ours is a part of', claims({ aud: 'usher-staging' })],
  ['another issuer', claims({ iss: 'https://issuer/' })],
  ['a list of issuers', claims({ iss: ['https://issuer'] })],
  ['no name', claims({ sub: undefined })],
  ['a name with a line break', claims({ sub: 'ann\nroot' })],
  ['a name of 129 characters', claims({ sub: 'a'.repeat(129) })],
  ['no role', claims({ role: undefined })],
  ['a role that nobody has', claims({ role: 'root' })],
  ['the role of agents', claims({ role: 'agent', backend: 'a' })],
  ['a claim twice', signedToken(HS, JSON.stringify(CLAIMS).replace('{', '{"role":"admin",'), hmac)],
  [
    'an algorithm twice, once with an escape',
    signedToken('{"alg":"none","\\u0061lg":"HS256","kid":"h"}', CLAIMS, hmac),
  ],
  ['padding', `${GOOD}=`],
  ['the other alphabet of Base64', `${GOOD.slice(0, -1)}+`],
  ['a fourth part', `${GOOD}.x`],
  ['two parts', `${HEAD}.${BODY}`],
  ['five parts, as of one that is encrypted', `${GOOD}.a.b`],
  ['9000 characters', claims({ more: 'x'.repeat(9000) })],
  ['a list as claims', signedToken(HS, '[]', hmac)],
  ['claims that are not UTF-8', signedToken(HS, Buffer.from([0x7b, 0xff, 0x7d]), hmac)],
  ['claims nested deeply', signedToken(HS, `${'['.repeat(3000)}${']'.repeat(3000)}`, hmac)],
])('a token is refused with %s', async (_what, token) => {
  const answer = await show(token);
  expect(answer.statusCode).toBe(401);
  expect(answer.json()).toMatchObject({ code: 'unauthorized' });
});

const admin = async (role: string) =>
  (
    await app.inject({
      method: 'POST',
      url: '/admin',
      headers: { authorization: `Bearer ${claims({ role })}` },
    })
  ).statusCode;

test('a role of a signed token suffices for what it suffices for', async () => {
  expect([await admin('operate'), await admin('admin')]).toEqual([403, 200]);
});

test('an operator whose token is over is told so, and nobody else hears why', async () => {
  expect((await show(claims({ exp: nowS - 31 }))).json()).toMatchObject({ detail: 'The token is over' });
  expect((await show(claims({ aud: 'other' }))).json()).not.toHaveProperty('detail');
});

test('configured tokens are taken beside signed ones', async () => {
  expect((await show('a-static-token-of-ours')).json()).toMatchObject({ name: 'static' });
  const asKey = await app.inject({ url: '/read', headers: { 'x-api-key': GOOD } });
  expect(asKey.json()).toMatchObject({ name: 'jwt:ann' });
});

test('who shows two tokens is nobody', async () => {
  const headers = { authorization: `Bearer ${GOOD}`, 'x-api-key': 'a-static-token-of-ours' };
  expect((await app.inject({ url: '/read', headers })).statusCode).toBe(401);
});

test('no line of the log has a token or a key in it', async () => {
  await show(claims({ aud: 'other' }));
  const written = JSON.stringify(log.entries);
  expect(log.entries).not.toEqual([]);
  for (const secret of [SECRET, SIGNATURE, HEAD, BODY, 'a-static-token-of-ours'])
    expect(written).not.toContain(secret);
});
