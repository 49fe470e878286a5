import { RecordingLog } from '@usher/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type AdminServer, startAdminServer } from './admin-server.ts';
import { systemClock } from './clock.ts';
import { systemRandom } from './random.ts';

const OPS = { name: 'ops', secret: 'the-first-secret', role: 'admin' } as const;
const ACCESS = { tokens: [OPS], allow: ['127.0.0.0/8'] };

let log: RecordingLog;
let server: AdminServer;

const start = (host: string) =>
  startAdminServer({
    ...ACCESS,
    host,
    port: 0,
    clock: systemClock(),
    log,
    random: systemRandom(),
    health: () => ({ status: 'ok', services: [] }),
    register: (app) => app.get('/who', { config: { role: 'read' } }, ({ identity }) => identity),
  });

beforeEach(async () => {
  log = new RecordingLog();
  server = await start('127.0.0.1');
});
afterEach(() => server.close());

/** Who a caller with this secret is; the status when it is refused. */
async function who(secret: string, { port } = server): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${port}/who`, {
    headers: { authorization: `Bearer ${secret}` },
  });
  const answer = await response.json();
  return response.ok ? answer : response.status;
}

test('another list of tokens counts from the next request on, also on a connection that is open', async () => {
  expect(await who('the-first-secret')).toEqual({ name: 'ops', role: 'admin' });
  const agent = { name: 'beside-a', secret: 'of-the-agent', role: 'agent', backend: 'a' } as const;
  server.admit({ ...ACCESS, tokens: [{ ...OPS, secret: 'the-second-secret', role: 'read' }, agent] });
  expect(await who('the-first-secret')).toBe(401);
  expect(await who('the-second-secret')).toEqual({ name: 'ops', role: 'read' });
  server.admit({ ...ACCESS, tokens: [{ ...OPS, name: 'root' }] });
  expect(await who('the-second-secret')).toBe(401);
  const told = log.entries.flatMap(({ message, fields }) =>
    message === 'who may call has changed' ? [fields] : [],
  );
  expect(told).toMatchObject([
    { added: 'beside-a', changed: 'ops', removed: '' },
    { added: 'root', changed: '', removed: 'ops,beside-a' },
  ]);
  expect(JSON.stringify(told)).not.toContain('secret');
});

test('so do other networks, and an issuer that comes or goes', async () => {
  server.admit({ ...ACCESS, deny: ['127.0.0.1/32'] });
  expect(await who('the-first-secret')).toBe(403);
  const keys = [{ algorithm: 'HS256', key: 'x'.repeat(32) }] as const;
  const jwt = { issuer: 'i', audience: 'a', keys, algorithms: [], roleClaim: 'role' };
  server.admit({ ...ACCESS, tokens: [], jwt });
  expect(await who('the-first-secret')).toBe(401);
  server.admit({ ...ACCESS, tokens: [] });
  expect(await who('any')).toEqual({ name: 'local', role: 'admin' });
});

test('on an address that others reach, the last token does not go', async () => {
  const open = await start('0.0.0.0');
  try {
    expect(() => open.admit({ ...ACCESS, tokens: [] })).toThrow('needs at least one token');
    expect(await who('the-first-secret', open)).toEqual({ name: 'ops', role: 'admin' });
    expect(await who('any', open)).toBe(401);
  } finally {
    await open.close();
  }
});
