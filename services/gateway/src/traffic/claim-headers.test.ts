import type { IncomingHttpHeaders } from 'node:http';
import { signedToken, tokenKey } from '@usher/testing';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { bothLanes, LANES, LimitedFleet } from '../testing/limited-gateway.ts';
import { RawSocket, readMessage } from '../wire/testing/raw-socket.ts';

// Whole gateways with their threads: a busy machine may take its time.
vi.setConfig({ testTimeout: 30_000 });

const issuer = tokenKey('EdDSA');
const exp = Math.floor(Date.now() / 1000) + 3600;
const bearer = (claims: object | string) =>
  `Bearer ${signedToken(
    { alg: 'EdDSA' },
    typeof claims === 'string' ? claims : { iss: 'i', aud: 'shop', exp, ...claims },
    issuer.sign,
  )}`;
const MIA = bearer({ sub: 'mia', groups: ['a', 'b'], admin: false, level: 7 });

const jwt = {
  issuer: 'i',
  audience: 'shop',
  keys: [{ algorithm: 'EdDSA', key: issuer.publicKey }],
  claimHeaders: {
    'x-user': 'sub',
    'x-groups': 'groups',
    'x-admin': 'admin',
    'x-level': 'level',
    'x-same': 'sub',
    'x-own': 'sub',
  },
} as const;
/** What of a request to the backend is about these. */
const NAMES = new Set([...Object.keys(jwt.claimHeaders), 'x-who']);
const CLAIMED = { 'x-user': 'root', 'X-Groups': 'wheel', 'x-level': '99', X_User: 'root', x_Admin: 'true' };

let fleet: LimitedFleet;
let port: number;
beforeAll(async () => {
  fleet = new LimitedFleet();
  const requestHeaders = { set: { 'x-own': 'ours', 'x-who': '{consumer}' }, add: {}, remove: ['x-same'] };
  const routes = bothLanes(
    { id: 'token', path: '/token' },
    { id: 'open', path: '/open', traffic: { jwt: 'none' } },
    { id: 'edited', path: '/edited', traffic: { requestHeaders } },
    { id: 'other', path: '/other', traffic: { jwt: { ...jwt, claimHeaders: { 'x-who': 'sub' } } } },
  );
  await fleet.configure({ routes, traffic: { jwt } }, {}, ({ headers }, response) => {
    response.end(JSON.stringify(headers));
  });
  port = await fleet.gateway();
});
afterAll(() => fleet.close());

function claimsIn(text: string): IncomingHttpHeaders {
  const headers = JSON.parse(text) as IncomingHttpHeaders;
  const told = Object.entries(headers).filter(([name]) => NAMES.has(name) || name.includes('_'));
  return Object.fromEntries(told);
}

const OF_MIA = {
  'x-user': 'mia',
  'x-groups': '["a","b"]',
  'x-admin': 'false',
  'x-level': '7',
  'x-same': 'mia',
  'x-own': 'mia',
};

describe.each(LANES)('through %s', (lane) => {
  const seen = async (path: string, headers: Record<string, string | string[]>) => {
    const { status, text } = await fleet.ask(port, lane, { path, headers });
    expect(status).toBe(200);
    return claimsIn(text);
  };

  test('the backend learns what the token says, also when it is known already', async () => {
    for (let times = 0; times < 2; times++)
      expect(await seen('/token', { authorization: MIA })).toEqual(OF_MIA);
  });

  test('nobody can say it instead of the token, once, twice, or with underscores', async () => {
    expect(await seen('/token', { authorization: MIA, ...CLAIMED })).toEqual(OF_MIA);
    const twice = { authorization: MIA, 'x-user': ['root', 'admin'] };
    expect(await seen('/token', twice)).toEqual(OF_MIA);
    const nobody = bearer({});
    expect(await seen('/token', { authorization: nobody, ...CLAIMED })).toEqual({});
  });

  test('at routes that ask for no token, or for another one, nobody can either', async () => {
    expect(await seen('/open', { ...CLAIMED, 'x-who': 'root' })).toEqual({});
    expect(await seen('/other', { authorization: MIA, ...CLAIMED, 'x-who': 'root' })).toEqual({
      'x-who': 'mia',
    });
  });

  test('what the policy itself makes of such a header is the last word', async () => {
    const { 'x-same': _, ...rest } = OF_MIA;
    expect(await seen('/edited', { authorization: MIA, ...CLAIMED })).toEqual({
      ...rest,
      'x-own': 'ours',
      'x-who': 'mia',
    });
  });

  test.each([
    ['a line break', 'mia\r\nX-Admin: true'],
    ['a line feed', 'mia\nroot'],
    ['a NUL', 'mia\0'],
    ['blanks around it', ' mia'],
    ['nothing', ''],
    ['letters that are not ASCII', 'mía'],
    ['more than a header should', 'm'.repeat(4097)],
    ['nobody', null],
  ])('a name with %s is left out, and nothing else', async (_what, sub) => {
    const authorization = bearer({ sub, level: 1 });
    expect(await seen('/token', { authorization, 'x-user': 'root' })).toEqual({ 'x-level': '1' });
  });

  test.each([
    ['[{"a":"ü\\r\\n"},null]', '[{"a":"\\u00fc\\r\\n"},null]'],
    ['{"a":{"b":[1.5,true]}}', '{"a":{"b":[1.5,true]}}'],
    ['"a b"', 'a b'],
    ['-1.5', '-1.5'],
    ['9007199254740993', undefined],
  ])('groups that are %s are written as %s', async (groups, value) => {
    const claims = `{"iss":"i","aud":"shop","exp":${exp},"groups":${groups}}`;
    const told = value === undefined ? {} : { 'x-groups': value };
    expect(await seen('/token', { authorization: bearer(claims) })).toEqual(told);
  });
});

test.each(['', '/zip'])(
  'WebSockets and nominated headers through %s/token are no way around it',
  async (zip) => {
    const client = RawSocket.to(port);
    const lines = Object.entries(CLAIMED).map(([name, value]) => `${name}: ${value}\r\n`);
    client.send(
      `GET ${zip}/token HTTP/1.1\r\nHost: a\r\nAuthorization: ${MIA}\r\n${lines.join('')}` +
        'Connection: Upgrade, X-User, X-Level\r\nUpgrade: websocket\r\n' +
        'Sec-WebSocket-Key: a\r\nSec-WebSocket-Version: 13\r\n\r\n',
    );
    const answer = await readMessage(client);
    expect(answer.body).toContain('"upgrade":"websocket"');
    expect(claimsIn(answer.body)).toEqual(OF_MIA);
    client.socket.destroy();
  },
);
