import { writeFileSync } from 'node:fs';
import path from 'node:path';
import {
  type NatsServer,
  type RedisServer,
  startNatsServer,
  startRedisServer,
  tempDir,
} from '@usher/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Backend, startBackend } from './support/backend.ts';
import { end, start, USHER, usher } from './support/command.ts';
import { freePorts, type Ports } from './support/ports.ts';
import { until } from './support/wait.ts';

const LIMIT_MS = 60_000;

let directory: ReturnType<typeof tempDir>;
let backend: Backend;
const servers: (NatsServer | RedisServer)[] = [];

beforeEach(async () => {
  directory = tempDir();
  backend = await startBackend('b');
});

afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
  await backend.stop();
  directory.remove();
});

async function config(rest: string, own: Partial<Ports> = {}): Promise<string> {
  const { traffic, admin, metrics } = { ...(await freePorts()), ...own };
  const file = path.join(directory.path, 'usher.yaml');
  writeFileSync(
    file,
    `listen: ["127.0.0.1:${traffic}"]
admin: { address: "127.0.0.1:${admin}" }
metrics: { address: "127.0.0.1:${metrics}" }
limits: { connections: 100 }
timeouts: { backend_idle: 100ms }
pools: { web: { backends: [{ id: b, url: "${backend.url}" }] } }
${rest}`,
    { mode: 0o600 },
  );
  return file;
}

interface Answer {
  readonly ok: boolean;
  readonly findings: readonly { readonly about: string; readonly level: string; readonly message: string }[];
}

async function doctor(): Promise<Answer & { readonly code: number | null }> {
  const { code, stdout, stderr } = await usher(['doctor', '--json'], directory.path);
  expect(stderr).toBe('');
  return { code, ...(JSON.parse(stdout) as Answer) };
}

const levels = ({ findings }: Answer) => findings.map(({ about, level }) => `${about} ${level}`);

test(
  'a configuration that finds what it needs is well, and ends with 1 when NATS and Redis have gone',
  async () => {
    const [nats, redis] = [await startNatsServer(), await startRedisServer()];
    servers.push(nats, redis);
    await config(`bus: { servers: ["${nats.url}"] }\nstore: "${redis.url}"\n`);
    const well = await doctor();
    expect(well).toMatchObject({ code: 0, ok: true });
    expect(new Set(levels(well))).toEqual(
      new Set(['files ok', 'open files ok', 'ports ok', 'nats ok', 'redis ok', 'clock ok', 'backends ok']),
    );
    await nats.kill9();
    await redis.kill9();
    const ill = await doctor();
    expect(ill).toMatchObject({ code: 1, ok: false });
    expect(levels(ill)).toEqual(expect.arrayContaining(['nats error', 'redis error']));
    const { stdout } = await usher(['doctor'], directory.path);
    expect(stdout).toMatch(/^error +redis +cannot be used at .*ECONNREFUSED.*\n +→ start it/m);
    expect(stdout).toMatch(/\n2 errors, 0 warnings\n$/);
  },
  LIMIT_MS,
);

test(
  'ports and data that the running Usher holds are no fault, those that a stranger holds are',
  async () => {
    const file = await config('');
    const started = start(USHER, ['run', '--config', file], directory.path);
    await until('it is ready', () => started.output().includes('"ready"'));
    const during = await doctor();
    expect(during).toMatchObject({ code: 0 });
    expect(during.findings.map(({ message }) => message)).toEqual(
      expect.arrayContaining([
        expect.stringContaining('is held, and this Usher runs'),
        expect.stringContaining('the running process'),
      ]),
    );
    await end(started, 'SIGTERM');
    await config('', { metrics: Number(new URL(backend.url).port) });
    const { code, findings } = await doctor();
    expect(code).toBe(1);
    expect(findings.filter(({ level }) => level === 'error')).toMatchObject([
      { about: 'ports', message: expect.stringContaining('metrics.address') },
    ]);
  },
  LIMIT_MS,
);

test('a faulty configuration is told as everywhere', async () => {
  writeFileSync(path.join(directory.path, 'usher.yaml'), 'pools: 1\n');
  const { code, stderr } = await usher(['doctor'], directory.path);
  expect(stderr).toContain('usher.yaml:1:8 pools');
  expect(code).toBe(2);
});
