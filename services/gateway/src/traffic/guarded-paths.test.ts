import { fileURLToPath } from 'node:url';
import type { RouteSettings, TrafficSettings } from '@usher/domain';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { route } from '../testing/fixtures.ts';
import { bothLanes, LANES, LimitedFleet } from '../testing/limited-gateway.ts';
import { RawSocket, readMessage } from '../wire/testing/raw-socket.ts';

// Whole gateways with their threads: a busy machine may take its time.
vi.setConfig({ testTimeout: 30_000 });

const traffic: TrafficSettings = { clients: { allow: ['192.0.2.0/24'], deny: [] } };
const closed = (path: string): Partial<RouteSettings> => ({ id: path.replace(/\W/g, ''), path, traffic });

let fleet: LimitedFleet;
let port: number;
beforeAll(async () => {
  fleet = new LimitedFleet();
  const routes = bothLanes(
    closed('/admin/*'),
    closed('/a/admin/*'),
    closed('/my%20files/*'),
    { id: 'letters', path: '/caf%C3%A9/*' },
    { id: 'host', host: 'secret.example.com', path: '/*', traffic },
    { id: 'below', host: '*.example.org', path: '/*', traffic },
    closed('/Reports/*'),
    { id: 'open', path: '/admin/open/*' },
    { id: 'one', path: '/case/*' },
    { ...closed('/Case/*'), id: 'other' },
    { id: 'all', path: '/*' },
  );
  await fleet.configure({ routes }, {}, (request, response) => response.end(request.url));
  port = await fleet.gateway();
});
afterAll(() => fleet.close());

describe.each(LANES)('past a guard through %s', (lane) => {
  const statusOf = async (path: string) => (await fleet.ask(port, lane, { path })).status;

  test.each([
    '/x%2fy/%2e%2e/admin/z',
    '/%61dmin/../x',
    '/admin%2f..%2fx',
    '/%61dmin/%2e%2e/x',
    '/%61dmin/..;/x',
    '/a/;b/../admin/x',
    '/a//../admin/x',
    '/%6dy%20files/x',
    '/ADMIN/x',
    '/%41dmin/x',
    '/x/../Admin/x',
    '/reports/x',
    '/CASE/x',
  ])('%s leads nowhere', async (path) => {
    expect(await statusOf(path)).toBe(404);
  });

  test.each([
    'secret.example.com',
    'Secret.example.com.',
    'secret.example.com.:80',
    'secret.example.com..',
    'secret%2eexample.com',
    '%73ecret.example.com.',
    'a.example.org.',
  ])('%s is the same host', async (host) => {
    const named = lane.startsWith('HTTP/2') ? { ':authority': host } : { host };
    expect((await fleet.ask(port, lane, { headers: named })).status).toBe(403);
  });

  test('a path that stays within its route passes, however it has to be encoded', async () => {
    for (const path of ['/files/a%2Fb', '/a%20b;v=1', '/caf%C3%A9/%E2%82%AC', '/x/./y', '/x//y', '/100%25'])
      expect(await statusOf(path), path).toBe(200);
    for (const path of ['/A/b', '/admin/open/X', '/ADMIN/Open/X', '/case/X', '/Reporting'])
      expect(await statusOf(path), path).toBe(200);
    for (const path of [
      '/admin/a%20b',
      '/admin/X',
      '/Reports/x',
      '/Case/x',
      '/admin/x/../y',
      '/my%20files/a%20b',
    ])
      expect(await statusOf(path), path).toBe(403);
  });
});

test('a rooted host of an absolute target is the same too', async () => {
  const client = RawSocket.to(port);
  const host = 'secret.example.com.:80';
  client.send(`GET http://${host}/ HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  expect(await readMessage(client)).toMatchObject({ firstLine: expect.stringContaining(' 403 ') });
  client.socket.destroy();
});

test('a plugin of somebody’s own may be a guard, past which nothing leads either', async () => {
  const own = new LimitedFleet();
  const file = fileURLToPath(new URL('../testing/closed-plugin.mjs', import.meta.url));
  const plugins = [{ name: 'closed', file, options: {} }];
  const routes = [
    route({ id: 'plug', path: '/plug/*', pool: 'web', plugins }),
    route({ id: 'all', path: '/*', pool: 'web' }),
  ];
  await own.configure({ routes });
  const at = await own.gateway();
  const statusOf = async (path: string) => (await own.ask(at, 'wire', { path })).status;
  expect(await statusOf('/plug/x')).toBe(401);
  expect(await statusOf('/q/x%20y')).toBe(200);
  for (const path of ['/q/../plug/y', '/q/%2e%2e/plug/x', '/q/..;/plug', '/%70lug/x'])
    expect.soft(await statusOf(path), path).toBe(404);
  await own.close();
});
