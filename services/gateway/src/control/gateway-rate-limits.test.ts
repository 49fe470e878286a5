import type { PolicySettings, RateLimitSettings } from '@usher/domain';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { until } from '../testing/http.ts';
import { bothLanes, LANES, type LaneName, LimitedFleet, type Wanted } from '../testing/limited-gateway.ts';

// Whole gateways with their threads: a busy machine may take its time.
vi.setConfig({ testTimeout: 30_000 });

const HOUR_MS = 3_600_000;
/** So slow that nothing comes back while a test runs. */
const slow = (changes: Partial<RateLimitSettings> & Pick<RateLimitSettings, 'by'>): RateLimitSettings =>
  ({ scope: 'local', requests: 3, perMs: HOUR_MS, burst: 3, ...changes }) as RateLimitSettings;

let limited: LimitedFleet;
/** Starts a fleet, closed by `close`, with its first gateway; answers with the port of that. */
async function start(changes: Partial<PolicySettings>, workers = 1): Promise<number> {
  limited = new LimitedFleet();
  await limited.configure(changes);
  return await limited.gateway({ workers });
}
const close = () => limited.close();

/** Statuses of so many of the same request, one after the other. */
async function statuses(port: number, lane: LaneName, count: number, wanted?: Wanted): Promise<number[]> {
  const all: number[] = [];
  for (let each = 0; each < count; each++) all.push((await limited.ask(port, lane, wanted)).status);
  return all;
}

const counted = (outcome: string) =>
  limited.fleet.metrics.sum('usher_rate_limit_requests_total', { outcome });
const from = (address: string) => ({ headers: { 'x-forwarded-for': address } });
const to = (path: string, address: string) => ({ path, ...from(address) });
const key = (value: string, address = '192.0.2.1') => ({
  path: '/key',
  headers: { 'X-Key': value, 'x-forwarded-for': address },
});
const trustedProxies = ['127.0.0.0/8'];

describe.each(LANES)('through %s', (lane) => {
  let port: number;
  beforeAll(async () => {
    const told = slow({ by: 'ip', requests: 60, burst: 2 });
    const routes = bothLanes(
      { id: 'local', path: '/local', rateLimit: told },
      { id: 'fleet', path: '/fleet', rateLimit: { ...told, scope: 'fleet' } },
      { id: 'ip', path: '/ip', rateLimit: slow({ by: 'ip' }) },
      { id: 'key', path: '/key', rateLimit: slow({ by: 'header', name: 'x-key' }) },
      { id: 'free', path: '/free', rateLimit: 'none' },
      { id: 'a', path: '/a' },
      { id: 'all', path: '/*' },
    );
    port = await start({ routes, rateLimit: slow({ by: 'route' }), trustedProxies }, 2);
  });
  afterAll(close);

  test.each(['local', 'fleet'])(
    'a client over its limit is told so and when to come back (%s)',
    async (id) => {
      const path = `/${id}`;
      const before = limited.backend!.seen.length;
      const first = await limited.ask(port, lane, { path, method: 'POST', body: 'kept' });
      expect(first).toMatchObject({ status: 200, text: 'kept' });
      const name = lane.endsWith('plugin') ? `"route/zip-${id}"` : `"route/${id}"`;
      const policy = { 'ratelimit-policy': `${name};q=2;w=120` };
      expect(first.headers).toMatchObject({ ...policy, ratelimit: `${name};r=1;t=60` });
      const second = await limited.ask(port, lane, { path });
      expect(second.status).toBe(200);
      expect(second.headers).toMatchObject(policy);
      expect(second.headers['ratelimit']).toContain(`${name};r=0;t=1`);
      const third = await limited.ask(port, lane, { path, method: 'POST', body: 'not read' });
      expect(third.status).toBe(429);
      expect(third.headers).toMatchObject({ ...policy, 'content-type': 'application/problem+json' });
      expect(Number(third.headers['retry-after'])).toBeGreaterThan(1);
      expect(Number(third.headers['retry-after'])).toBeLessThanOrEqual(60);
      expect(third.headers['ratelimit']).toBe(`${name};r=0;t=${third.headers['retry-after']}`);
      expect(third.headers['x-request-id']).toMatch(/./);
      expect(JSON.parse(third.text)).toMatchObject({ status: 429, code: 'rate_limited' });
      expect(await limited.ask(port, lane, { path, method: 'HEAD' })).toMatchObject({
        status: 429,
        text: '',
      });
      expect(limited.backend!.seen.length - before).toBe(2);
    },
  );

  test('addresses count one by one, as trusted proxies tell them, and those of an IPv6 network together', async () => {
    expect(await statuses(port, lane, 4, to('/ip', '192.0.2.1'))).toEqual([200, 200, 200, 429]);
    expect(await statuses(port, lane, 1, to('/ip', '192.0.2.2'))).toEqual([200]);
    expect(await statuses(port, lane, 3, to('/ip', '2001:db8:0:1::1'))).toEqual([200, 200, 200]);
    expect(await statuses(port, lane, 1, to('/ip', '2001:db8:0:1:ffff::9'))).toEqual([429]);
    expect(await statuses(port, lane, 1, to('/ip', '2001:db8:0:2::1'))).toEqual([200]);
  });

  test('by a header its values count one by one, and who sends none counts by his address', async () => {
    expect(await statuses(port, lane, 4, key('one'))).toEqual([200, 200, 200, 429]);
    expect(await statuses(port, lane, 1, key('one', '192.0.2.2'))).toEqual([429]);
    expect(await statuses(port, lane, 1, key('other'))).toEqual([200]);
    expect(await statuses(port, lane, 4, to('/key', '192.0.2.1'))).toEqual([200, 200, 200, 429]);
    expect(await statuses(port, lane, 1, key('', '192.0.2.1'))).toEqual([429]);
    // Nobody uses up what an address has by sending it as a value.
    expect(await statuses(port, lane, 4, key('192.0.2.3'))).toEqual([200, 200, 200, 429]);
    expect(await statuses(port, lane, 1, to('/key', '192.0.2.3'))).toEqual([200]);
  });

  test('by route all clients of a route count together, and `none` takes a route out', async () => {
    expect(await statuses(port, lane, 2, to('/a', '192.0.2.1'))).toEqual([200, 200]);
    expect(await statuses(port, lane, 2, to('/a', '192.0.2.2'))).toEqual([200, 429]);
    expect(await statuses(port, lane, 3, to('/b', '192.0.2.1'))).toEqual([200, 200, 200]);
    expect(await statuses(port, lane, 9, to('/free', '192.0.2.1'))).toEqual(Array(9).fill(200));
    expect((await limited.ask(port, lane, to('/free', '192.0.2.1'))).headers['ratelimit']).toBeUndefined();
  });
});

describe('through all lanes', () => {
  afterEach(close);

  test('who is no trusted proxy gains nothing by X-Forwarded-For', async () => {
    const port = await start({ routes: bothLanes({}), rateLimit: slow({ by: 'ip', burst: 4 }) });
    for (const [index, lane] of LANES.entries())
      expect(await statuses(port, lane, 1, from(`192.0.2.${index}`))).toEqual([200]);
    for (const lane of LANES) expect(await statuses(port, lane, 1, from('192.0.2.9'))).toEqual([429]);
  });

  test('a global limit counts all clients in all lanes on all routes together', async () => {
    const routes = bothLanes({ id: 'a', path: '/a' }, { id: 'all', path: '/*' });
    const port = await start({ routes, rateLimit: slow({ by: 'global', burst: 4 }), trustedProxies }, 2);
    for (const [index, lane] of LANES.entries()) {
      const wanted = { path: index % 2 === 0 ? '/a' : '/b', ...from(`192.0.2.${index}`) };
      expect(await statuses(port, lane, 1, wanted)).toEqual([200]);
    }
    for (const lane of LANES) expect(await statuses(port, lane, 1)).toEqual([429]);
  });

  test('workers count together, exactly, however many requests come at once', async () => {
    const port = await start({ routes: bothLanes({}), rateLimit: slow({ by: 'ip', burst: 50 }) }, 3);
    const asked = Array.from({ length: 200 }, (_, each) => limited.ask(port, LANES[each % 4]!));
    const answers = await Promise.all(asked);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(50);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(150);
    await until(async () => (await counted('limited')) === 150, 'those that were refused are counted');
    expect(await counted('allowed')).toBe(50);
  });

  test('gateways of a fleet count together unless the limit is local', async () => {
    const routes = bothLanes({ id: 'own', path: '/own', rateLimit: slow({ by: 'ip' }) }, {});
    const port = await start({ routes, rateLimit: slow({ by: 'ip', scope: 'fleet' }) });
    const ports = [port, await limited.gateway()];
    const asked = async (path: string) => {
      const all = [];
      for (let each = 0; each < 4; each++)
        for (const port of ports) all.push(...(await statuses(port, 'wire', 1, { path })));
      return all.filter((status) => status === 200).length;
    };
    expect(await asked('/own')).toBe(6);
    expect(await asked('/')).toBe(3);
  });

  test('a limit that changes holds from the next request on, and connections stay', async () => {
    const port = await start({ routes: bothLanes({}), rateLimit: slow({ by: 'ip' }) });
    expect(await statuses(port, 'HTTP/2', 4)).toEqual([200, 200, 200, 429]);
    await limited.configure({ routes: bothLanes({}), rateLimit: slow({ by: 'ip', requests: 5, burst: 5 }) });
    await until(
      async () => (await limited.ask(port, 'HTTP/2')).headers['ratelimit-policy']?.includes('q=5') === true,
      'the new limit is known',
    );
    await limited.configure({ routes: bothLanes({}) });
    await until(
      async () => (await limited.ask(port, 'HTTP/2')).headers['ratelimit-policy'] === undefined,
      'there is no limit any more',
    );
    expect(await statuses(port, 'HTTP/2', 9)).toEqual(Array(9).fill(200));
  });

  test('a call of gRPC over its limit ends with RESOURCE_EXHAUSTED', async () => {
    const port = await start({ routes: bothLanes({}), rateLimit: slow({ by: 'ip', burst: 1 }) });
    await limited.ask(port, 'wire');
    const call = { method: 'POST', headers: { 'content-type': 'application/grpc', te: 'trailers' } };
    const { status, headers } = await limited.ask(port, 'HTTP/2', call);
    expect(status).toBe(200);
    expect(headers['grpc-status']).toBe('8');
    expect(headers['ratelimit']).toMatch(/^"all";r=0;/);
  });
});
