import { afterAll, beforeAll, expect } from 'vitest';
import { type Ask, ask, type Backend, startBackend } from '../../services/gateway/src/testing/http.ts';
import { ForeignRuns } from '../support/foreign-runs.ts';
import { freePort, freePorts, type Ports } from '../support/ports.ts';
import { until } from '../support/wait.ts';

export const LIMIT_MS = 120_000;
const SECRET = 'k3-Vq9zR.t7wLm2xPd8';
const JSON_TYPE = 'application/json';
export const PAGE = 'https://app.example';
/** More than what this test reserves. */
export const cores = (percent: number) => Array.from({ length: 16 }, () => percent);

const runs = new ForeignRuns();
const backends: Backend[] = [];
let ports: Ports;
let calls = 0;
/** Where the two backends are. */
export let one: string;
export let two: string;

/** Runs Opsen's server on its file, with a client that has registered, for the tests of a file. */
export function runOpsen(): void {
  beforeAll(async () => {
    for (const name of ['one', 'two'])
      backends.push(
        await startBackend(name, (request, response) => {
          if (request.url === '/api/broken') request.socket.destroy();
          else if (request.url !== '/api/slow') response.end(name);
        }),
      );
    [one = '', two = ''] = backends.map(({ url }) => url);
    ports = await freePorts();
    const opsen = await freePort();
    await runs.run({
      system: 'opsen',
      ports,
      flags: ['-port', String(ports.traffic), '-host', '127.0.0.1'],
      set: {
        'opsen.address': `127.0.0.1:${opsen}`,
        'opsen.endpoints': '127.0.0.0/8',
      },
      config: `
port: 1
server_key: ${SECRET}
proxy_endpoints: [/api]
sticky_header: X-Session-ID
sticky_by_ip: true
whitelisted_ips: [127.0.0.0/27]
rate_limit_per_minute: 60
rate_limit_burst: 120
enable_cors: true
cors_allowed_origins: ["${PAGE}"]
max_request_body_bytes: 4096
request_timeout_seconds: 1
health_check_interval_seconds: 1
health_check_timeout_seconds: 1
tiers:
  - { name: lite, vcpu: 1, memory_gb: 1.0, storage_gb: 5 }
  - { name: big, vcpu: 64, memory_gb: 1.0, storage_gb: 5 }
  - { name: gpu, vcpu: 1, memory_gb: 1.0, storage_gb: 5, gpu: 1, gpu_memory_gb: 8 }
`,
    });
    await register('c1', one);
    await report('c1');
    await until('somebody has what a request needs', async () => (await proxied()).status === 200);
  }, LIMIT_MS);

  afterAll(async () => {
    await runs.end();
    for (const backend of backends) await backend.close();
  }, LIMIT_MS);
}

export type Known = Omit<Ask, 'body'> & {
  readonly body?: object | string;
  readonly key?: string | undefined;
};

/** One request to the one port of everything; the API sees the key unless that is left out. */
export async function call(path: string, { body, key = SECRET, method, headers = {}, ...rest }: Known = {}) {
  const sent = typeof body === 'object' ? JSON.stringify(body) : body;
  // The API lets each address call so often only.
  const localAddress = key === '' ? '127.0.0.1' : `127.0.0.${10 + (calls++ % 20)}`;
  const answer = await ask(ports.traffic, {
    path,
    localAddress,
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: {
      ...(key !== '' && { 'x-api-key': key }),
      ...(sent !== undefined && { 'content-type': JSON_TYPE, 'content-length': String(sent.length) }),
      ...headers,
    },
    ...(sent !== undefined && { body: sent }),
    ...rest,
  });
  return answer;
}

/** Status and body, that as JSON if it is. */
export async function told(path: string, wanted?: Known): Promise<readonly [number, unknown]> {
  const { status, text } = await call(path, wanted);
  return [status, /^[[{]/.test(text) ? JSON.parse(text) : text];
}

export const proxied = async (wanted: Known = {}, path = '/api/x') =>
  await call(path, { key: '', ...wanted });

export async function register(client: string, url: string, more: object = {}): Promise<void> {
  const body = { client_id: client, hostname: `host-${client}`, endpoint_url: url, ...more };
  expect(await told('/register', { body })).toEqual([200, { status: 'registered' }]);
}

export async function report(client: string, changes: object = {}): Promise<void> {
  const body = {
    client_id: client,
    hostname: `host-${client}`,
    cpu_usage_avg: cores(10),
    memory_total_gb: 64,
    memory_used_gb: 16,
    memory_avail_gb: 48,
    disk_total_gb: 1000,
    disk_used_gb: 100,
    disk_avail_gb: 900,
    ...changes,
  };
  expect(await told('/stats', { body })).toEqual([200, { status: 'ok' }]);
}

/** The client that a decision names. */
export async function decided(tier: string, more: object = {}): Promise<unknown> {
  const [, answer] = await told('/route', { body: { tier, client_ip: '192.0.2.1', ...more } });
  return typeof answer === 'object' && answer !== null && 'client_id' in answer ? answer.client_id : answer;
}
