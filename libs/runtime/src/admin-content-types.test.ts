import { RecordingLog, SimulatedClock } from '@usher/testing';
import { afterEach, expect, test } from 'vitest';
import { type AdminToken } from './admin-access.ts';
import { type AdminServerOptions, createAdminApp, startAdminServer } from './admin-server.ts';
import { systemRandom } from './random.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const OPS: AdminToken = { name: 'ops', secret: 'ops-secret', role: 'operate' };

/** Takes bodies whatever they are said to be. */
function options(tokens: readonly AdminToken[]): AdminServerOptions {
  return {
    host: '127.0.0.1',
    port: 0,
    tokens,
    allow: ['127.0.0.0/8'],
    anyContentType: true,
    clock: new SimulatedClock(),
    log: new RecordingLog(),
    random: systemRandom(),
    health: () => ({ status: 'ok', services: [] }),
    register: (routes) =>
      routes.post('/operate', { config: { role: 'operate' } }, ({ body }) => ({ got: body ?? null })),
  };
}

function build(tokens: readonly AdminToken[]) {
  const app = createAdminApp(options(tokens));
  closing.push(() => app.close());
  return app;
}

test.each(['application/x-www-form-urlencoded', 'text/plain', 'application/json', undefined])(
  'where callers show tokens, JSON may be said to be %s',
  async (type) => {
    const app = build([OPS]);
    const send = async (secret: string, payload = '{"a":1}') =>
      await app.inject({
        method: 'POST',
        url: '/operate',
        headers: { authorization: `Bearer ${secret}`, ...(type !== undefined && { 'content-type': type }) },
        payload,
      });
    expect((await send('ops-secret')).json()).toEqual({ got: { a: 1 } });
    expect((await send('ops-secret', 'a=1')).statusCode).toBe(400);
    expect((await send('wrong')).statusCode).toBe(401);
  },
);

test.each(['application/x-www-form-urlencoded', 'text/plain', undefined])(
  'where nobody shows a token, JSON that is said to be %s is refused, as a page could have sent it',
  async (type) => {
    const app = build([]);
    const send = async (headers: Record<string, string>) =>
      (await app.inject({ method: 'POST', url: '/operate', headers, payload: '{"a":1}' })).statusCode;
    expect(await send({ host: 'localhost', ...(type !== undefined && { 'content-type': type }) })).toBe(400);
    expect(await send({ host: 'localhost', 'content-type': 'application/json' })).toBe(200);
  },
);

test('when the last token goes, so does that', async () => {
  const server = await startAdminServer(options([OPS]));
  closing.push(() => server.close());
  const send = async () => {
    const headers = { authorization: 'Bearer ops-secret', 'content-type': 'text/plain' };
    const url = `http://127.0.0.1:${server.port}/operate`;
    return (await fetch(url, { method: 'POST', headers, body: '{}' })).status;
  };
  expect(await send()).toBe(200);
  server.admit({ tokens: [], allow: ['127.0.0.0/8'] });
  expect(await send()).toBe(400);
  server.admit({ tokens: [OPS], allow: ['127.0.0.0/8'] });
  expect(await send()).toBe(200);
});
