import type { Problem } from '@usher/domain';
import { sessionIdOf } from '@usher/runtime';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TestFleet } from './test-fleet.ts';

const NONE = 'health: { type: none }';
const FILE = `
logging: { level: error }
pools:
  plain: { ${NONE} }
  cookie: { ${NONE}, sticky: { by: cookie } }
  header: { ${NONE}, sticky: { by: header, name: X-User, ttl: 1h } }
  ip: { ${NONE}, sticky: { by: ip } }
  tiers: { ${NONE}, tiers: [{ name: t, vcpu: 1, memory: 1GiB }], reserve: request, backends: [{ id: a, url: "http://10.0.0.1:80" }] }
routes: [{ path: "/*", pool: plain }]
`;

let fleet: TestFleet;
beforeEach(async () => {
  fleet = await TestFleet.start(FILE);
});
afterEach(async () => await fleet.stop());

const clear = async (pool: string, body?: object) =>
  (await fleet.ask<{ events: string[] } & Problem>('POST', `/v1/pools/${pool}/sticky/clear`, body)).body;

interface Recorded {
  readonly events: readonly { readonly type: string; readonly data: unknown }[];
}

/** What the log says of sessions that were cleared. */
async function cleared() {
  const lines = (await fleet.text('/v1/events')).trim().split('\n');
  const records = lines.map((line) => JSON.parse(line) as Recorded);
  const events = records.flatMap((record) => record.events);
  return events.filter(({ type }) => type === 'sticky.cleared').map(({ data }) => data);
}

test('sessions are named in the log by what stands for the client, and never by what it sends', async () => {
  expect(await clear('header')).toMatchObject({ events: ['sticky.cleared'] });
  await clear('header', { client: 'mara' });
  await clear('header', { session: 'abc' });
  await clear('ip', { client: '2001:db8::1' });
  await clear('ip', { client: '10.0.0.1' });
  const bytes = Buffer.from(Array.from({ length: 60 }, (_, at) => at));
  await clear('cookie', { client: bytes.toString('base64url') });
  expect(await cleared()).toEqual([
    { pool: 'header' },
    { pool: 'header', session: sessionIdOf('header', 'mara') },
    { pool: 'header', session: 'abc' },
    { pool: 'ip', session: sessionIdOf('ip', '2001:db8:0:0') },
    { pool: 'ip', session: sessionIdOf('ip', '10.0.0.1') },
    { pool: 'cookie', session: bytes.subarray(2, 14).toString('base64url') },
  ]);
});

test.each([
  ['none', {}, 'not_found'],
  ['plain', {}, 'conflict'],
  ['header', { session: 'a', client: 'b' }, 'invalid_input'],
  ['header', { session: '' }, 'invalid_input'],
  ['cookie', { client: 'no cookie' }, 'invalid_input'],
])('clearing sessions of pool %s by %j is refused with %s', async (pool, body, code) => {
  expect(await clear(pool, body)).toMatchObject({ code });
  expect(await cleared()).toEqual([]);
});

test.each([
  ['tiers', {}, undefined],
  ['tiers', { ofBackend: 'a' }, undefined],
  ['tiers', { ofBackend: 'b' }, 'not_found'],
  ['none', {}, 'not_found'],
  ['plain', {}, 'conflict'],
  ['tiers', { session: 's' }, 'conflict'],
])('what is reserved of pool %s is given back by %j, unless that is %s', async (pool, body, code) => {
  const path = `/v1/pools/${pool}/allocations/purge`;
  const { body: answer } = await fleet.ask<{ events: string[] } & Problem>('POST', path, body);
  if (code === undefined) expect(answer.events).toEqual(['allocations.purged']);
  else expect(answer.code).toBe(code);
});
