import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseConfigText } from '@usher/config';
import { afterAll, beforeAll, expect } from 'vitest';
import { usher } from '../support/command.ts';
import { ForeignRuns, textOf } from '../support/foreign-runs.ts';
import { testRows } from '../support/page-rows.ts';
import { freePorts, type Ports } from '../support/ports.ts';
import { until } from '../support/wait.ts';

const LIMIT_MS = 120_000;

const runs = new ForeignRuns();
let velo: string;
let balancer: string;
let url: string;
let others: Ports;

const balancerFile = (url: string, port: number, metrics: string) =>
  JSON.stringify({
    listen: { port },
    algorithm: 'round-robin',
    backends: [{ id: 'one', url }],
    health_check: { interval: '1s', timeout: '1s', path: '/health' },
    metrics: { prometheus: { enabled: true, path: metrics } },
  });

beforeAll(async () => {
  ({ url } = await runs.backend('one'));
  const ports = await freePorts();
  others = await freePorts();
  // Its variables lie over its file, whose port is nobody's.
  await runs.run({
    system: 'velo',
    ports,
    env: { LB_PORT: String(ports.traffic), LB_ADDRESS: '127.0.0.1', LB_STRATEGY: 'leastconnection' },
    config: JSON.stringify({
      server: { address: '0.0.0.0', port: 1 },
      backends: { urls: [url] },
      strategy: 'roundrobin',
      metrics: { enabled: true, path: '/metrics' },
    }),
  });
  await runs.run({
    system: 'load-balancer',
    ports: others,
    config: balancerFile(url, others.traffic, '/numbers'),
  });
  velo = `http://127.0.0.1:${ports.traffic}`;
  balancer = `http://127.0.0.1:${others.traffic}`;
  for (const traffic of [velo, balancer])
    await until('served', async () => (await textOf(traffic)) === 'one');
}, LIMIT_MS);

afterAll(() => runs.end(), LIMIT_MS);

async function countsOf(): Promise<Readonly<Record<string, number>>> {
  const response = await fetch(`${velo}/metrics`);
  const { web } = (await response.json()) as { readonly web: Record<string, number> };
  return web;
}

const totalOf = async () => (await countsOf())['total_requests'] ?? Number.NaN;

testRows('velo', 'Calls', {
  'GET /metrics': async () => {
    const response = await fetch(`${velo}/metrics`);
    expect(response.headers.get('content-type')).toBe('application/json');
    await response.arrayBuffer();
    // An answer is counted when it has ended, which its reader may know before.
    let before = await totalOf();
    await until('nothing is under way', async () => before === (before = await totalOf()));
    for (let each = 0; each < 3; each++) await textOf(velo);
    // What is under way its worker tells ten times a second.
    const counts = await until('three more are counted, and over', async () => {
      const found = await countsOf();
      return (found['total_requests'] ?? 0) >= before + 3 && found['active_connections'] === 0 && found;
    });
    expect(counts).toEqual({
      total_requests: before + 3,
      failed_requests: expect.any(Number) as number,
      active_connections: 0,
    });
  },
  'GET /metrics?format=usher': async () =>
    expect(await textOf(`${velo}/metrics?format=usher`)).toContain('usher_requests_total{'),
});

testRows('velo', 'Flags', {
  '-config': async () => {
    expect(await textOf(velo)).toBe('one');
    const file = path.join(runs.directory, 'velo', 'velo.yaml');
    const { code, stderr } = await usher(['run', '--config', file, '--', '-config', file]);
    expect(code).toBe(2);
    expect(stderr).toContain('flag -config: name the file with --config of Usher');
  },
  '-generate-config': async () => {
    const { code, stdout } = await usher(['generate-config']);
    expect(code).toBe(0);
    expect(parseConfigText(stdout).local.listen).toMatchObject([{ port: expect.any(Number) as number }]);
  },
});

testRows('load-balancer', 'Calls', {
  'GET metrics.prometheus.path': async () => {
    expect(await textOf(`${balancer}/metrics`)).toBe('one');
    const response = await fetch(`${balancer}/numbers`);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(await response.text()).toContain('usher_requests_total{');
    const file = path.join(runs.directory, 'load-balancer', 'load-balancer.yaml');
    writeFileSync(file, balancerFile(url, others.traffic, '/figures/all'));
    const moved = async () => await textOf(`${balancer}/figures/all?format=usher`);
    await until('they have moved', async () => (await moved()).includes('usher_requests_total{'));
    expect((await fetch(`${balancer}/figures/all?format=other`)).status).toBe(404);
    expect(await textOf(`${balancer}/numbers`)).toBe('one');
    expect(await textOf(`http://127.0.0.1:${others.metrics}/metrics`)).toContain('usher_requests_total{');
  },
});
