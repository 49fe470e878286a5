import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { tempDir } from '@usher/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Backend, startBackend } from './support/backend.ts';
import { bodies, Load } from './support/load.ts';
import { UsherProcess } from './support/usher-process.ts';
import { until } from './support/wait.ts';

let directory: ReturnType<typeof tempDir>;
let backend: Backend;
let usher: UsherProcess;

beforeEach(async () => {
  directory = tempDir();
  backend = await startBackend('one');
});
afterEach(async () => {
  await usher.stop();
  await backend.stop();
  directory.remove();
});

async function start(env: Readonly<Record<string, string>> = {}): Promise<void> {
  const config = `workers: 2
timeouts: { lame_duck: 300ms }
pools:
  web: { health: { type: none }, backends: [{ id: one, url: "${backend.url}" }] }
routes: [{ path: "/*", pool: web }]
`;
  usher = await UsherProcess.start({ directory: path.join(directory.path, 'usher'), config, env });
}

function changeConfig(from: string, to: string): void {
  writeFileSync(usher.configFile, readFileSync(usher.configFile, 'utf8').replace(from, to));
}

/** Workers of the process that answers. */
async function workers(): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${usher.ports.metrics}/metrics`);
  return (await response.text()).match(/^usher_worker_utilization_ratio\{/gm)?.length ?? 0;
}

test('nobody notices that another process takes over, with its configuration as it is by then', async () => {
  await start();
  const load = new Load([usher.traffic], { connections: 4 });
  for (const [before, after] of [
    [2, 3],
    [3, 1],
  ]) {
    const first = usher.pid;
    changeConfig(`workers: ${before}`, `workers: ${after}`);
    await usher.hotRestart();
    expect(usher.pid).not.toBe(first);
    expect(await workers()).toBe(after);
  }
  const { ok, failures } = await load.stop();
  expect(failures).toEqual([]);
  expect(ok).toBeGreaterThan(100);
  const { digest, position } = await usher.status();
  expect(await usher.replayedDigest(position)).toBe(digest);
});

test('a configuration that is faulty keeps the process that there is', async () => {
  await start();
  changeConfig('workers: 2', 'wrkers: 2');
  process.kill(usher.pid, 'SIGUSR2');
  await until('it says so', () => usher.output.includes('nothing has changed'));
  expect(usher.output).toContain('did you mean "workers"?');
  expect(await bodies(usher.traffic, 3)).toEqual(['one', 'one', 'one']);
  changeConfig('wrkers: 2', 'workers: 2');
  await until('nothing is wrong', async () => (await usher.status()).degraded.length === 0);
});

test('a process that cannot start keeps the old one serving until one can', async () => {
  await start();
  changeConfig(`127.0.0.1:${usher.ports.traffic}`, '192.0.2.1:80');
  process.kill(usher.pid, 'SIGUSR2');
  await until('it tries again', () => usher.output.includes('serving on, and trying again'));
  expect(await bodies(usher.traffic, 3)).toEqual(['one', 'one', 'one']);
  changeConfig('192.0.2.1:80', `127.0.0.1:${usher.ports.traffic}`);
  await usher.hotRestart();
  expect(await bodies(usher.traffic, 3)).toEqual(['one', 'one', 'one']);
});

test('a supervisor that waits for it hears of each process that is ready', async () => {
  const tools = path.join(directory.path, 'tools');
  const heard = path.join(directory.path, 'heard');
  mkdirSync(tools);
  writeFileSync(path.join(tools, 'systemd-notify'), `#!/bin/sh\necho "$NOTIFY_SOCKET $*" >> ${heard}\n`);
  chmodSync(path.join(tools, 'systemd-notify'), 0o755);
  await start({ NOTIFY_SOCKET: '/run/notify', PATH: `${tools}:${process.env['PATH']}` });
  const first = usher.pid;
  await usher.hotRestart();
  const lines = [first, usher.pid].map((pid) => `/run/notify --ready --pid=${pid}\n`);
  expect(readFileSync(heard, 'utf8')).toBe(lines.join(''));
});
