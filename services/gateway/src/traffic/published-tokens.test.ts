import { renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import type { RouteSettings } from '@usher/domain';
import type { Clock } from '@usher/ports';
import { signedToken, type TokenKey, tempDir, tokenKey, wallClock } from '@usher/testing';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { listen, until } from '../testing/http.ts';
import { bothLanes, LANES, LimitedFleet } from '../testing/limited-gateway.ts';

// Whole gateways with their threads: a busy machine may take its time.
vi.setConfig({ testTimeout: 30_000 });

const one = tokenKey('ES256');
const two = tokenKey('EdDSA');
const own = tokenKey('RS256');
const OWN = { id: 'own', algorithm: 'RS256', key: own.publicKey } as const;
const exp = Math.floor(Date.now() / 1000) + 3600;
const token = (key: TokenKey, alg: string, kid: string) =>
  signedToken({ alg, kid }, { iss: 'i', aud: 'shop', sub: 'mia', exp }, key.sign);
const ONE = token(one, 'ES256', '1');
const TWO = token(two, 'EdDSA', '2');
const setOf = (...keys: (readonly [key: TokenKey, kid: string])[]) =>
  JSON.stringify({ keys: keys.map(([key, kid]) => ({ ...key.jwk, kid })) });

/** A clock that a test sets forward, so that nobody waits for half a minute. */
let aheadMs = 0;
const clock: Clock = {
  ...wallClock,
  now: () => wallClock.now() + aheadMs,
  steady: () => wallClock.steady() + aheadMs,
};
/** What issuers publish; undefined: they fail. */
let published: string | undefined;
let asked = 0;
const issuer = createServer((_request, response) => {
  asked += 1;
  response.statusCode = published === undefined ? 503 : 200;
  response.end(published);
});

const folder = tempDir();
const FILE = join(folder.path, 'jwks.json');
/** As careful writers do. */
const publish = (text: string) => {
  writeFileSync(`${FILE}.new`, text);
  renameSync(`${FILE}.new`, FILE);
};

let fleet: LimitedFleet;
let port: number;
let routes: readonly RouteSettings[];
beforeAll(async () => {
  const url = `http://127.0.0.1:${await listen(issuer)}/jwks.json`;
  published = setOf([one, '1']);
  publish(setOf([one, '1']));
  const jwt = { issuer: 'i', audience: 'shop', keys: [] };
  routes = bothLanes(
    { id: 'url', path: '/url', traffic: { jwt: { ...jwt, jwks: { url } } } },
    { id: 'file', path: '/file', traffic: { jwt: { ...jwt, jwks: { file: FILE } } } },
    { id: 'own', path: '/own', traffic: { jwt: { ...jwt, keys: [OWN], jwks: { file: FILE } } } },
  );
  fleet = new LimitedFleet();
  await fleet.configure({ routes });
  port = await fleet.gateway({}, { clock });
});
afterAll(async () => {
  await fleet.close();
  issuer.closeAllConnections();
  issuer.close();
  folder.remove();
});
beforeEach(() => {
  aheadMs += 31_000;
});

const statuses = async (path: string, shown: string) => {
  const answers = LANES.map(
    async (lane) =>
      (await fleet.ask(port, lane, { path, headers: { authorization: `Bearer ${shown}` } })).status,
  );
  return [...new Set(await Promise.all(answers))];
};
const soon = async (path: string, shown: string, status: number) =>
  await until(
    async () => String(await statuses(path, shown)) === String(status),
    `${path} answering with ${status}`,
  );

test('keys that are published count from the first request on, beside those of the configuration', async () => {
  expect(await statuses('/url', ONE)).toEqual([200]);
  expect(await statuses('/file', ONE)).toEqual([200]);
  expect(await statuses('/own', ONE)).toEqual([200]);
  expect(await statuses('/own', token(own, 'RS256', 'own'))).toEqual([200]);
  expect(await statuses('/url', token(own, 'RS256', 'own'))).toEqual([401]);
});

test('a token that names a new key has it looked for, and what a withdrawn one signed is no longer good', async () => {
  expect(await statuses('/url', ONE)).toEqual([200]);
  published = setOf([two, '2']);
  await soon('/url', TWO, 200);
  expect(await statuses('/url', ONE)).toEqual([401]);
  published = setOf([one, '1'], [two, '2']);
  aheadMs += 31_000;
  await soon('/url', ONE, 200);
});

test('however many tokens name unknown keys, the issuer is asked once', async () => {
  const before = asked;
  await until(async () => {
    await statuses('/url', token(two, 'EdDSA', 'strange'));
    return asked > before;
  }, 'the issuer being asked');
  for (let at = 0; at < 50; at++)
    expect(await statuses('/url', token(two, 'EdDSA', `strange-${at}`))).toEqual([401]);
  expect(asked).toBe(before + 1);
});

test('while keys cannot be read the last ones stay, and the gateway says so until they can be', async () => {
  expect(fleet.gateways[0]?.fault()).toBeUndefined();
  publish('none');
  await until(() => fleet.gateways[0]?.fault() !== undefined, 'a fault');
  expect(fleet.gateways[0]?.fault()).toContain(`the keys for tokens at ${FILE} cannot be read`);
  expect(fleet.fleet.log.entries).toContainEqual(
    expect.objectContaining({ level: 'error', message: expect.stringContaining('the last known ones stay') }),
  );
  expect(await statuses('/file', ONE)).toEqual([200]);
  publish(setOf([two, '2']));
  await soon('/file', TWO, 200);
  expect(await statuses('/file', ONE)).toEqual([401]);
  expect(fleet.gateways[0]?.fault()).toBeUndefined();
});

test('what is published at a place that no route names any more is forgotten', async () => {
  await fleet.configure({ routes: routes.filter(({ id }) => !id.endsWith('file') && !id.endsWith('own')) });
  publish(setOf([one, '1']));
  await fleet.configure({ routes });
  await soon('/file', ONE, 200);
  expect(await statuses('/file', TWO)).toEqual([401]);
});
