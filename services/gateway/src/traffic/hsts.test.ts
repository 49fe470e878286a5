import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Client } from '../h2/testing/client.ts';
import { ask } from '../testing/http.ts';
import { bothLanes, LANES, type LaneName, LimitedFleet } from '../testing/limited-gateway.ts';
import { askTls, ListenerFiles, serverFor } from '../testing/tls.ts';

// Whole gateways with their threads: a busy machine may take its time.
vi.setConfig({ testTimeout: 30_000 });

const HSTS = 'strict-transport-security';
const OURS = 'max-age=31536000; includeSubDomains';
const THEIRS = 'max-age=60';

let fleet: LimitedFleet;
let files: ListenerFiles;
const ports = { http: 0, https: 0 };
beforeAll(async () => {
  fleet = new LimitedFleet();
  files = new ListenerFiles([serverFor('a.test')]);
  const tokens = { issuer: 'i', audience: 'a', keys: [] };
  const routes = bothLanes(
    { id: 'all', path: '/*' },
    { id: 'refused', path: '/refused', traffic: { jwt: tokens } },
    { id: 'none', path: '/none', traffic: { securityHeaders: 'none' } },
  );
  const traffic = { securityHeaders: { hsts: OURS, headers: { 'x-frame-options': 'DENY' } } };
  await fleet.configure({ routes, traffic }, {}, ({ url = '' }, response) => {
    if (url.endsWith('/own')) response.setHeader(HSTS, THEIRS).setHeader('x-frame-options', 'SAMEORIGIN');
    response.end();
  });
  const address = { host: '127.0.0.1', port: 0 };
  await fleet.gateway({ listen: [address, { ...address, tls: files.source }] });
  const [http, https] = fleet.gateways[0]!.addresses;
  Object.assign(ports, { http: http?.port, https: https?.port });
});
afterAll(async () => {
  await fleet.close();
  files.remove();
});

type Scheme = keyof typeof ports;

async function headersOf(scheme: Scheme, lane: LaneName, path: string, headers: Record<string, string> = {}) {
  const whole = lane.endsWith('plugin') ? `/zip${path}` : path;
  const port = ports[scheme];
  if (!lane.startsWith('HTTP/2'))
    return (await (scheme === 'http' ? ask : askTls)(port, { path: whole, headers })).headers;
  const client = new Client(`${scheme}://127.0.0.1:${port}`);
  const answer = await client.ask({ ':path': whole, ...headers });
  client.close();
  return answer.headers;
}

describe.each(LANES)('through %s', (lane) => {
  test.each(['/', '/refused'])('Strict-Transport-Security of %s is sent over TLS', async (path) => {
    const overTls = await headersOf('https', lane, path);
    expect(overTls).toMatchObject({ [HSTS]: OURS, 'x-frame-options': 'DENY' });
    const plain = await headersOf('http', lane, path);
    expect(plain).toMatchObject({ 'x-frame-options': 'DENY' });
    expect(plain[HSTS]).toBeUndefined();
  });

  test("a backend's own stays as it is, once", async () => {
    const own = await headersOf('https', lane, '/own');
    expect(own).toMatchObject({ [HSTS]: THEIRS, 'x-frame-options': 'SAMEORIGIN' });
  });

  test('whether it is TLS is what the connection says, not what a client does', async () => {
    const claimed = await headersOf('http', lane, '/', { 'x-forwarded-proto': 'https' });
    expect(claimed[HSTS]).toBeUndefined();
    const denied = await headersOf('https', lane, '/', { 'x-forwarded-proto': 'http' });
    expect(denied[HSTS]).toBe(OURS);
  });

  test('a route that takes itself out sends none', async () => {
    expect((await headersOf('https', lane, '/none'))[HSTS]).toBeUndefined();
  });
});
