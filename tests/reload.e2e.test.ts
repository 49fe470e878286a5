import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { tempDir } from '@usher/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Backend, startBackend } from './support/backend.ts';
import { end, type Started, start, USHER } from './support/command.ts';
import { freePorts } from './support/ports.ts';
import { isReady } from './support/usher-process.ts';
import { until } from './support/wait.ts';

let directory: ReturnType<typeof tempDir>;
let backend: Backend;
let usher: Started;
let ports: { first: number; second: number; admin: number; metrics: number };

const file = () => path.join(directory.path, 'usher.yaml');

/** A configuration that listens on these ports. `more`: further keys, in the place of the standard ones. */
function config(listen: readonly number[], more = 'workers: 2'): string {
  return [
    'name: usher-1',
    `listen: [${listen.map((port) => `"127.0.0.1:${port}"`).join()}]`,
    `admin: { address: "127.0.0.1:${ports.admin}" }`,
    `metrics: { address: "127.0.0.1:${ports.metrics}" }`,
    'data: ./data',
    more,
    'pools:',
    `  web: { health: { type: none }, backends: [{ id: one, url: "${backend.url}" }] }`,
    'routes: [{ path: "/*", pool: web }]',
    '',
  ].join('\n');
}

beforeEach(async () => {
  directory = tempDir();
  backend = await startBackend('one');
  const [one, two] = [await freePorts(), await freePorts()];
  ports = { first: one.traffic, second: two.traffic, admin: one.admin, metrics: one.metrics };
});

afterEach(async () => {
  const { code, stdout, stderr } = await end(usher, 'SIGTERM');
  await backend.stop();
  directory.remove();
  expect(code, stdout + stderr).toBe(0);
});

async function run(): Promise<void> {
  usher = start(USHER, ['run', '--config', file()], directory.path);
  await until('ready', async () => {
    if (usher.child.exitCode !== null) throw new Error(usher.output());
    return await isReady(ports.metrics);
  });
}

/** Entries of the process's log with this message. */
function logged(message: string): Record<string, unknown>[] {
  const entries = usher.output().split('\n').slice(0, -1);
  return entries.map((line) => JSON.parse(line)).filter((entry) => entry.message === message);
}

async function status(port: number, target = '/'): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}${target}`, {
    headers: { connection: 'close' },
  }).catch(() => undefined);
  await response?.arrayBuffer();
  return response?.status ?? 0;
}

const serves = (...open: number[]) =>
  until(`${open.join()} of ${ports.first},${ports.second} serve`, async () => {
    const both = await Promise.all([status(ports.first), status(ports.second)]);
    return both.every((code, at) => code === (open.includes([ports.first, ports.second][at]!) ? 200 : 0));
  });

/** Puts another folder with the file in the place of the one before. */
function release(name: string, text: string): void {
  mkdirSync(path.join(directory.path, name));
  writeFileSync(path.join(directory.path, name, 'usher.yaml'), text);
  symlinkSync(name, path.join(directory.path, '..next'));
  renameSync(path.join(directory.path, '..next'), path.join(directory.path, '..data'));
}

describe('a running process follows its configuration file', () => {
  test('when that is written in place, or another is put in its place', async () => {
    writeFileSync(file(), config([ports.first]));
    await run();
    await serves(ports.first);
    writeFileSync(file(), config([ports.first, ports.second]));
    await serves(ports.first, ports.second);
    writeFileSync(path.join(directory.path, '.usher.yaml.swp'), config([ports.second]));
    renameSync(path.join(directory.path, '.usher.yaml.swp'), file());
    await serves(ports.second);
    rmSync(file());
    writeFileSync(file(), config([ports.first]));
    await serves(ports.first);
  });

  test('when a link on the way to it changes, as Kubernetes does it', async () => {
    release('..1', config([ports.first]));
    symlinkSync(path.join('..data', 'usher.yaml'), file());
    await run();
    await serves(ports.first);
    release('..2', config([ports.second]));
    await serves(ports.second);
  });

  test('when it is told to by SIGHUP, and nothing ends because of that', async () => {
    writeFileSync(file(), config([ports.first]));
    await run();
    for (let each = 0; each < 5; each++) usher.child.kill('SIGHUP');
    writeFileSync(file(), config([ports.second]));
    usher.child.kill('SIGHUP');
    await serves(ports.second);
  });

  test('in its shared settings too, through the log', async () => {
    writeFileSync(file(), config([ports.first]));
    await run();
    await serves(ports.first);
    expect(await status(ports.first, '/only')).toBe(200);
    writeFileSync(file(), config([ports.first]).replace('"/*"', '"/only"'));
    await until('the route is gone', async () => (await status(ports.first)) === 404);
    expect(await status(ports.first, '/only')).toBe(200);
  });
});

describe('a running process keeps its old configuration', () => {
  test('when a plugin cannot be loaded, until it can', async () => {
    writeFileSync(file(), config([ports.first]));
    writeFileSync(
      path.join(directory.path, 'own.mjs'),
      'export default async () => {};\nthrow new Error("no database");\n',
    );
    await run();
    const plugins = 'plugins: [{ name: own, file: own.mjs }]';
    const text = config([ports.first, ports.second]).replace('pool: web }]', `pool: web, ${plugins} }]`);
    writeFileSync(file(), text);
    await until('the fault is told', () => usher.output().includes('no database'));
    expect(logged('the configuration is faulty, the old one stays').map(({ cause }) => cause)).toEqual([
      expect.stringMatching(/routes\[0\]\.plugins\[0\]\.file: it throws when it is loaded: no database: /),
    ]);
    await serves(ports.first);
    writeFileSync(path.join(directory.path, 'own.mjs'), 'export default async () => {};\n');
    usher.child.kill('SIGHUP');
    await serves(ports.first, ports.second);
  });

  test('when the new one is faulty, and says everything that is wrong with it once', async () => {
    writeFileSync(file(), config([ports.first]));
    await run();
    writeFileSync(file(), `${config([ports.first, ports.second])}wrong: 1\nbus: bad\n`);
    const message = 'the configuration is faulty, the old one stays';
    await until('the faults are told', () => logged(message).length === 2);
    usher.child.kill('SIGHUP');
    const causes = logged(message).map(({ cause }) => cause);
    expect(causes).toEqual([
      expect.stringMatching(/usher\.yaml:10:1 wrong: /),
      expect.stringMatching(/usher\.yaml:11:6 bus: /),
    ]);
    await serves(ports.first);
    writeFileSync(file(), config([ports.first, ports.second]));
    await serves(ports.first, ports.second);
    expect(logged(message)).toHaveLength(2);
  });

  test('when an address is taken, until it is free', async () => {
    writeFileSync(file(), config([ports.first]));
    await run();
    const other = createServer().listen(ports.second, '127.0.0.1');
    writeFileSync(file(), config([ports.second]).replace('"/*"', '"/only"'));
    const message = 'the configuration cannot be used, the old one stays';
    await until('the fault is told', () => logged(message).length === 1);
    expect(logged(message)[0]?.['cause']).toContain(`cannot listen on 127.0.0.1:${ports.second}: `);
    expect(await status(ports.first)).toBe(200);
    await new Promise((resolve) => other.close(resolve));
    usher.child.kill('SIGHUP');
    await until('the new one counts', async () => (await status(ports.second, '/only')) === 200);
    await until('the old one does not', async () => (await status(ports.first)) === 0);
  });

  test('for what needs a restart, and names it', async () => {
    writeFileSync(file(), config([ports.first]));
    await run();
    writeFileSync(file(), config([ports.second], 'workers: 1\nlogging: { level: debug }'));
    await serves(ports.second);
    const message = 'settings that need a restart have changed';
    await until('that is told', () => logged(message).length === 1);
    expect(logged(message)[0]).toMatchObject({ level: 'warn', keys: 'workers, logging' });
  });
});
