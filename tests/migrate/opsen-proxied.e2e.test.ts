import { expect } from 'vitest';
import { testRows } from '../support/page-rows.ts';
import { until } from '../support/wait.ts';
import {
  cores,
  decided,
  type Known,
  LIMIT_MS,
  one,
  PAGE,
  proxied,
  register,
  report,
  runOpsen,
  told,
  two,
} from './opsen-run.ts';

const TOO_LARGE = JSON.stringify({ tier: 'lite', text: 'x'.repeat(5000) });

runOpsen();

/** Waits while agents go on reporting, as agents do: what was said once is stale after a few seconds. */
async function untilReported(
  what: string,
  reports: () => Promise<void>,
  holds: () => Promise<boolean>,
): Promise<void> {
  await until(what, async () => {
    await reports();
    return await holds();
  });
}

/** Two clients of which the second is better, and then the first. */
async function better(worse: object, tier = 'lite', more: object = {}, place: readonly object[] = []) {
  for (const [busy, idle] of [
    ['c1', 'c2'],
    ['c2', 'c1'],
  ] as const) {
    await register('c1', one, { total_gpus: 1, ...place[busy === 'c1' ? 0 : 1] });
    await register('c2', two, { total_gpus: 1, ...place[busy === 'c1' ? 1 : 0] });
    await untilReported(
      `${idle} is better`,
      async () => {
        await report(idle, { gpus: card(5) });
        await report(busy, { gpus: card(5), ...worse });
      },
      async () => (await decided(tier, more)) === idle,
    );
    for (let each = 0; each < 4; each++) expect(await decided(tier, more)).toBe(idle);
  }
}

const PARIS = { latitude: 48.85, longitude: 2.35 };
const NEW_YORK = { latitude: 40.71, longitude: -74 };
const card = (percent: number) => [
  { device_id: 0, name: 'g', utilization_pct: percent, memory_used_gb: 1, memory_total_gb: 24 },
];

testRows(
  'opsen',
  'Strategies',
  {
    CPU: async () => await better({ cpu_usage_avg: cores(70) }),
    memory: async () => await better({ memory_used_gb: 60 }),
    distance: async () =>
      await better({}, 'lite', { client_lat: 51.5, client_lon: -0.12 }, [NEW_YORK, PARIS]),
    GPU: async () => await better({ gpus: card(95) }, 'gpu'),
    tier: async () => {
      await register('c1', one);
      await register('c2', two);
      await report('c1', { cpu_usage_avg: cores(99) });
      await report('c2', { cpu_usage_avg: cores(79) });
      await until('one has no core left', async () => (await decided('lite')) === 'c2');
      // Who registers again begins anew, and is not judged by what it reported before.
      await register('c2', two);
      await report('c2', { memory_avail_gb: 0.5, memory_used_gb: 63.5 });
      await until('nobody has what it needs', async () => String(await decided('lite')).startsWith('No '));
      await register('c1', one);
      await report('c1');
      await until('one has', async () => (await decided('lite')) === 'c1');
      // Nobody has a card.
      expect(await decided('gpu')).toBe('No available clients with sufficient resources\n');
    },
  },
  LIMIT_MS,
);

async function names(count: number, wanted: Known, path?: string): Promise<string[]> {
  const answers: string[] = [];
  for (let each = 0; each < count; each++) answers.push((await proxied(wanted, path)).text);
  return answers;
}

/** Both clients have what requests need. */
async function bothServe(): Promise<void> {
  for (const [client, url] of [
    ['c1', one],
    ['c2', two],
  ] as const) {
    await register(client, url);
    await report(client);
  }
  // Which of them is decided for depends on what sessions have reserved by then.
  await until('both are known to have it', async () => {
    const [, clients] = await told('/clients');
    return (
      Array.isArray(clients) && clients.filter(({ cpu_usage: [usage] }) => usage === '10.0%').length === 2
    );
  });
}

const busy = async (client: string) => await report(client, { cpu_usage_avg: cores(99) });

const preflight = async (origin: string) =>
  await proxied({
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'POST' },
  });

testRows(
  'opsen',
  'Answers',
  {
    'Outside proxy_endpoints': async () => {
      for (const path of ['/apix', '/other', '/']) expect((await proxied({}, path)).status).toBe(404);
    },
    'A tier that there is not': async () => {
      expect((await proxied({ headers: { 'x-tier': 'none' } })).status).toBe(400);
      expect((await proxied({}, '/api/x?tier=none')).status).toBe(400);
    },
    'The tier is named in the body': async () => {
      await bothServe();
      const body = { tier: 'lite' };
      const headers = { 'x-tier': 'none' };
      expect((await proxied({ body, headers }, '/api/x?tier=none')).status).toBe(200);
      expect((await proxied({ headers }, '/api/x?tier=lite')).status).toBe(200);
      expect((await proxied({ body: { tier: 'none' } }, '/api/x?tier=lite')).status).toBe(400);
      expect((await proxied()).status).toBe(200);
    },
    'No backend has the resources': async () =>
      expect((await proxied({ headers: { 'x-tier': 'big' } })).status).toBe(503),
    sticky_header: async () => {
      await bothServe();
      for (const session of ['s1', 's2', 's3'])
        expect(new Set(await names(5, { headers: { 'x-session-id': session } })).size).toBe(1);
    },
    sticky_by_ip: async () => {
      await bothServe();
      for (const localAddress of ['127.0.0.11', '127.0.0.12', '127.0.0.13'])
        expect(new Set(await names(5, { localAddress })).size).toBe(1);
    },
    max_request_body_bytes: async () => expect((await proxied({ body: TOO_LARGE })).status).toBe(413),
    request_timeout_seconds: async () =>
      expect((await proxied({ method: 'POST' }, '/api/slow')).status).toBe(504),
    'The backend fails': async () => expect((await proxied({}, '/api/broken')).status).toBe(502),
    enable_cors: async () => {
      const allowed = await preflight(PAGE);
      expect([allowed.status, allowed.headers['access-control-allow-origin']]).toEqual([204, PAGE]);
      expect((await preflight('https://evil.example')).status).toBe(403);
      expect((await proxied({ headers: { origin: PAGE } })).headers['access-control-allow-origin']).toBe(
        PAGE,
      );
      expect((await proxied()).status).toBe(200);
    },
    disable_security_headers: async () => {
      const { headers } = await proxied();
      expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY' });
      expect(headers).not.toHaveProperty('strict-transport-security');
    },
    'Several endpoints with paths': async () => {
      await register('c1', one);
      await register('c2', two);
      // Afterwards nobody can be chosen for what is known of the time before.
      await untilReported(
        'nobody has a core',
        async () => {
          await busy('c1');
          await busy('c2');
        },
        async () => String(await decided('lite')).startsWith('No '),
      );
      const endpoints = [
        { url: one, paths: ['/api', '/api/a'] },
        { url: two, paths: ['/api/b/*'] },
      ];
      await register('c1', one, { endpoints });
      await untilReported(
        'one has',
        async () => {
          await report('c1');
          await busy('c2');
        },
        async () => (await decided('lite')) === 'c1',
      );
      const headers = { 'x-session-id': 'by-path' };
      expect(await names(2, { headers }, '/api/b/y')).toEqual(['two', 'two']);
      expect(await names(2, { headers }, '/api/a')).toEqual(['one', 'one']);
      expect(await names(2, { headers }, '/api/other')).toEqual(['one', 'one']);
    },
  },
  LIMIT_MS,
);
