import { renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { ask } from '../../services/gateway/src/testing/http.ts';
import type { Backend } from '../support/backend.ts';
import type { Started } from '../support/command.ts';
import { ForeignRuns, textOf } from '../support/foreign-runs.ts';
import { testRows } from '../support/page-rows.ts';
import { freePorts, type Ports } from '../support/ports.ts';
import { until } from '../support/wait.ts';

const LIMIT_MS = 120_000;

const runs = new ForeignRuns();
let ports: Ports;
let traffic: string;
let heavy: Backend;
let light: Backend;
let running: Started;

/** The file with some of it changed. */
const fileWith = (changes: object = {}) =>
  JSON.stringify({
    server: { port: ports.traffic, host: '127.0.0.1', shutdownTimeout: 5 },
    backends: [
      { url: heavy.url, weight: 3 },
      { url: light.url, weight: 1 },
    ],
    loadBalancing: { algorithm: 'weighted-round-robin' },
    healthCheck: { interval: 30, timeout: 5 },
    ...changes,
  });

beforeAll(async () => {
  heavy = await runs.backend('heavy');
  light = await runs.backend('light');
  ports = await freePorts();
  traffic = `http://127.0.0.1:${ports.traffic}`;
  running = await runs.run({
    system: 'connx',
    ports,
    config: fileWith(),
  });
  await until('served', async () => (await fetch(traffic)).status === 200);
}, LIMIT_MS);

afterAll(() => runs.end(), LIMIT_MS);

async function served(count: number): Promise<string[]> {
  const names: string[] = [];
  for (let each = 0; each < count; each++) names.push(await textOf(traffic));
  return names;
}

/** How many of 8 requests the light one gets; those before the change are over by then. */
const lights = async () => (await served(8)).filter((name) => name === 'light').length;

/** Replaces the file as editors do, with the address of its backends and all. */
function change(text: string): void {
  const file = path.join(runs.directory, 'connx', 'connx.yaml');
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

const pool = async () => await (await fetch(`http://127.0.0.1:${ports.admin}/v1/pools/web`)).text();

/** Applies a change, waits until it counts, and then takes it back. */
async function changed(changes: object, what: string, counts: () => Promise<boolean>): Promise<void> {
  change(fileWith(changes));
  await until(what, counts);
  change(fileWith());
  await until('it is as it was', async () => (await lights()) === 2 && !(await counts()));
}

const metric = async (pattern: RegExp) => {
  const [, value] = pattern.exec(await textOf(`${traffic}/metrics`)) ?? [];
  return value === undefined ? undefined : Number(value);
};

testRows('connx', 'Calls', {
  'GET /metrics': async () => {
    const { status, headers } = await fetch(`${traffic}/metrics`);
    expect([status, headers.get('content-type')]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
  },
  'POST /metrics': async () => {
    const { status, headers } = await fetch(`${traffic}/metrics`, { method: 'POST' });
    expect([status, headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  },
  'GET /metrics?format=usher': async () => {
    expect(await textOf(`${traffic}/metrics?format=usher`)).toContain('usher_requests_total{');
    expect((await fetch(`${traffic}/metrics?format=other`)).status).toBe(404);
  },
});

testRows('connx', 'Metrics', {
  'connx_requests_total{method_status}': async () => {
    const count = async () =>
      (await metric(/^connx_requests_total\{method_status="DELETE_200"\} ([0-9]+)$/m)) ?? 0;
    expect(await count()).toBe(0);
    for (let each = 0; each < 3; each++) await fetch(traffic, { method: 'DELETE' });
    expect(await count()).toBe(3);
    expect(await metric(/^connx_requests_total\{method_status="GET_200"\} ([0-9]+)$/m)).toBeGreaterThan(0);
    expect(await metric(/^connx_requests_total\{method_status="POST_405"\} ([0-9]+)$/m)).toBe(1);
  },
  connx_errors_total: async () => expect(await metric(/^connx_errors_total ([0-9]+)$/m)).toBe(0),
  connx_active_connections: async () =>
    expect(await metric(/^connx_active_connections ([0-9]+)$/m)).toBeGreaterThan(0),
  'connx_response_time_seconds{quantile}': async () => {
    for (const quantile of ['avg', '0.95', '0.99'])
      expect(
        await metric(
          new RegExp(`^connx_response_time_seconds\\{quantile="${quantile}"\\} ([0-9.e-]+)$`, 'm'),
        ),
      ).toBeGreaterThan(0);
  },
  'connx_backend_up{backend}': async () => {
    const text = await textOf(`${traffic}/metrics`);
    for (const { url } of [heavy, light]) expect(text).toContain(`connx_backend_up{backend="${url}"} 1\n`);
  },
  connx_uptime_seconds: async () =>
    expect(await metric(/^connx_uptime_seconds ([0-9.]+)$/m)).toBeGreaterThan(0),
  connx_requests_per_second: async () =>
    expect(await metric(/^connx_requests_per_second ([0-9.]+)$/m)).toBeGreaterThan(0),
});

testRows(
  'connx',
  'Changes of the file',
  {
    backends: async () => {
      const backends = [{ url: heavy.url }];
      await changed({ backends }, 'one alone', async () => (await lights()) === 0);
    },
    'backends[].weight': async () => {
      const backends = [
        { url: heavy.url, weight: 1 },
        { url: light.url, weight: 1 },
      ];
      await changed({ backends }, 'both get as many', async () => (await lights()) === 4);
    },
    'loadBalancing.algorithm': async () => {
      const loadBalancing = { algorithm: 'round-robin' };
      await changed({ loadBalancing }, 'weights do not count', async () => (await lights()) === 4);
    },
    rateLimit: async () => {
      const rateLimit = { enabled: true, requestsPerSec: 1, burst: 1 };
      await changed({ rateLimit }, 'most are turned away', async () => {
        const all = await Promise.all(Array.from({ length: 8 }, () => ask(ports.traffic)));
        return all.filter(({ status }) => status === 429).length >= 6;
      });
    },
    healthCheck: async () => {
      const healthCheck = { interval: 7, timeout: 3 };
      await changed({ healthCheck }, 'other probes', async () =>
        (await pool()).includes('"intervalMs":7000'),
      );
    },
    circuitBreaker: async () => {
      const circuitBreaker = { enabled: true, maxFailures: 9, timeout: 7 };
      await changed({ circuitBreaker }, 'another breaker', async () =>
        (await pool()).includes('"failures":9'),
      );
    },
    'A file with a fault': async () => {
      change(fileWith({ loadBalancing: { algorithm: 'fastest' } }));
      await until('it is told', () => running.output().includes('loadBalancing.algorithm'));
      expect(await lights()).toBe(2);
      change(fileWith());
    },
  },
  LIMIT_MS,
);
