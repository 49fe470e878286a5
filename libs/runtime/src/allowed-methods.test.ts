import type { Log } from '@usher/ports';
import { afterEach, expect, test } from 'vitest';
import { createAdminApp } from './admin-server.ts';
import { systemClock } from './clock.ts';
import { systemRandom } from './random.ts';

const log: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log };
const SECRET = 'root-secret';
const config = { role: 'read' } as const;

const apps: ReturnType<typeof createAdminApp>[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

function build() {
  const app = createAdminApp({
    host: '127.0.0.1',
    port: 0,
    tokens: [{ name: 'root', secret: SECRET, role: 'admin' }],
    allow: ['127.0.0.0/8'],
    clock: systemClock(),
    log,
    random: systemRandom(),
    health: () => ({ status: 'ok', services: [] }),
    register: (added) => {
      added.get('/read', { config }, () => ({}));
      added.post('/stats/:backend', { config }, () => ({}));
      added.route({ method: ['POST', 'DELETE'], url: '/both', config, handler: () => ({}) });
      added.get('/things/:id', { config }, () => ({}));
      added.post('/things/one', { config }, () => ({}));
    },
  });
  apps.push(app);
  return app;
}

test.each([
  ['POST', '/read', 'GET, HEAD'],
  ['DELETE', '/read?a=b', 'GET, HEAD'],
  ['GET', '/stats/a', 'POST'],
  ['HEAD', '/stats/%61', 'POST'],
  ['OPTIONS', '/both', 'DELETE, POST'],
  ['PUT', '/both', 'DELETE, POST'],
  ['DELETE', '/things/one', 'GET, HEAD, POST'],
  ['DELETE', '/v1/health', 'GET, HEAD'],
] as const)('a known path says which methods it has instead: %s %s', async (method, url, allow) => {
  const answer = await build().inject({ method, url, headers: { authorization: `Bearer ${SECRET}` } });
  expect([answer.statusCode, answer.headers.allow]).toEqual([405, allow]);
  expect(answer.headers['content-type']).toBe('application/problem+json');
  if (method !== 'HEAD') expect(answer.json()).toMatchObject({ code: 'method_not_allowed', status: 405 });
});

test.each([
  ['GET', '/things/one', 200],
  ['HEAD', '/read', 200],
  ['POST', '/nowhere', 404],
  ['DELETE', '/things/', 404],
  ['DELETE', '/things/one/more', 404],
  ['PUT', '/things/%zz/more', 404],
] as const)('who asks for what there is, or is not, is told so: %s %s', async (method, url, status) => {
  const answer = await build().inject({ method, url, headers: { authorization: `Bearer ${SECRET}` } });
  expect([answer.statusCode, answer.headers.allow]).toEqual([status, undefined]);
});

test('whoever shows no token does not learn which methods a path has', async () => {
  const answer = await build().inject({ method: 'DELETE', url: '/read' });
  expect([answer.statusCode, answer.headers.allow]).toEqual([401, undefined]);
});
