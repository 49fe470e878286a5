import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { bothLanes, LANES, LimitedFleet } from '../testing/limited-gateway.ts';

// Whole gateways with their threads: a busy machine may take its time.
vi.setConfig({ testTimeout: 30_000 });

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const PEM = publicKey.export({ type: 'spki', format: 'pem' });
const HEADER = { alg: 'ES256', typ: 'JWT', kid: 'one' };
const inS = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;
const CLAIMS = { iss: 'https://issuer.example', aud: 'shop', sub: 'mia', exp: inS(3600) };

type Signer = (signed: Buffer) => Buffer;
const byKey: Signer = (signed) => sign('sha256', signed, { key: privateKey, dsaEncoding: 'ieee-p1363' });
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
function token(claims: object = {}, header: object = {}, signer = byKey): string {
  const signed = `${part({ ...HEADER, ...header })}.${part({ ...CLAIMS, ...claims })}`;
  return `${signed}.${signer(Buffer.from(signed)).toString('base64url')}`;
}
const GOOD = token();

let fleet: LimitedFleet;
let port: number;
beforeAll(async () => {
  fleet = new LimitedFleet();
  const keys = [{ id: 'one', algorithm: 'ES256', key: PEM }] as const;
  const requestHeaders = { set: { 'x-consumer': '{consumer}' }, add: {}, remove: [] };
  const jwt = { issuer: CLAIMS.iss, audience: CLAIMS.aud, keys };
  const broken = { ...jwt, keys: [{ algorithm: 'ES256', key: 'none' }] as const };
  const routes = bothLanes(
    { id: 'all', path: '/*', traffic: { jwt, requestHeaders } },
    { id: 'broken', path: '/broken', traffic: { jwt: broken } },
  );
  await fleet.configure({ routes }, {}, (request, response) => {
    response.end(request.headers['x-consumer']);
  });
  port = await fleet.gateway();
});
afterAll(() => fleet.close());

type Shown = string | string[] | undefined;
const ATTACKS: readonly (readonly [name: string, authorization: Shown])[] = [
  ['no token', undefined],
  ['another scheme', `Basic ${GOOD}`],
  ['no signature', `Bearer ${GOOD.slice(0, GOOD.lastIndexOf('.') + 1)}`],
  ['the algorithm none', `Bearer ${token({}, { alg: 'none' }, () => Buffer.alloc(0))}`],
  [
    'the public key as a secret',
    `Bearer ${token({}, { alg: 'HS256' }, (signed) => createHmac('sha256', PEM).update(signed).digest())}`,
  ],
  ['an expired token', `Bearer ${token({ exp: inS(-60) })}`],
  ['a token of tomorrow', `Bearer ${token({ nbf: inS(86_400) })}`],
  ['a token that never expires', `Bearer ${token({ exp: undefined })}`],
  ['a token for somebody else', `Bearer ${token({ aud: 'bank' })}`],
  ['a token of somebody else', `Bearer ${token({ iss: 'https://evil.example' })}`],
  ['a key by its path', `Bearer ${token({}, { kid: '../../../../dev/null' })}`],
  [
    'a key of its own',
    `Bearer ${token({}, { kid: undefined, jwk: publicKey.export({ format: 'jwk' }) }, () => Buffer.alloc(64))}`,
  ],
  [
    'other claims under a good signature',
    `Bearer ${[GOOD.split('.')[0], part({ ...CLAIMS, sub: 'admin' }), GOOD.split('.')[2]].join('.')}`,
  ],
  ['what it must not ignore', `Bearer ${token({}, { crit: ['exp'] })}`],
  ['ten thousand characters', `Bearer ${token({ more: 'x'.repeat(10_000) })}`],
  ['a good one and something', `Bearer ${GOOD} ${GOOD}`],
  ['a good one shown twice', [`Bearer ${GOOD}`, `Bearer ${GOOD}`]],
  ['a good one after a bad one', ['Bearer none', `Bearer ${GOOD}`]],
  ['a good one before another scheme', [`Bearer ${GOOD}`, 'Basic bWlhOm1pYQ==']],
  ['what is not base64', `Bearer ${GOOD.replace('.', '.*')}`],
  ['base64 with padding', `Bearer ${GOOD}=`],
  ['a part too many', `Bearer ${GOOD}.`],
  ['parts of nothing', 'Bearer ..'],
];

describe.each(LANES)('through %s', (lane) => {
  const ask = async (authorization: Shown, path = '/') =>
    await fleet.ask(port, lane, { path, headers: authorization === undefined ? {} : { authorization } });

  test('a good token is taken again and again, and the backend learns whose it is', async () => {
    for (let times = 0; times < 3; times++)
      expect(await ask(`bearer ${GOOD}`)).toMatchObject({ status: 200, text: 'mia' });
  });

  test.each(ATTACKS)('%s is refused, also after a good token', async (_name, authorization) => {
    await ask(`Bearer ${GOOD}`);
    const { status, headers, text } = await ask(authorization);
    expect(status).toBe(401);
    expect(headers['www-authenticate']).toMatch(/^Bearer/);
    expect(JSON.parse(text)).toMatchObject({ code: 'unauthorized' });
  });

  test('a key that is none lets nobody in', async () => {
    expect((await ask(`Bearer ${GOOD}`, '/broken')).status).toBe(401);
  });
});
