import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { tempDir } from '@usher/testing';
import { afterAll, expect, test } from 'vitest';
import { startBackend } from './support/backend.ts';
import { end, start, USHER } from './support/command.ts';
import { bodies } from './support/load.ts';
import { UsherProcess } from './support/usher-process.ts';
import { until } from './support/wait.ts';

const CONFIG = `pools:
  web: { agents: true, health: { type: none } }
routes:
  - { path: "/*", pool: web }
`;
const TOKENS = `tokens: [
  { name: ops, secret: ops-secret, role: admin },
  { name: beside-b1, secret: "file:b1.token", role: agent, backend: b1 }]`;

const directory = tempDir();
afterAll(() => directory.remove());

interface Row {
  readonly id: string;
  readonly origin: string;
  readonly stats: { readonly coresPercent: readonly number[]; readonly memoryTotalBytes: number } | null;
}

test('an agent brings its backend into service, reports for it, brings it back and takes it out', async () => {
  const backend = await startBackend('b1');
  const home = path.join(directory.path, 'home');
  mkdirSync(home);
  writeFileSync(path.join(home, 'b1.token'), 'b1-secret\n');
  const usher = await UsherProcess.start({ directory: home, config: CONFIG, adminKeys: TOKENS });
  const agent = start(
    USHER,
    `agent --backend b1 --url ${usher.admin} --token file:b1.token --register ${backend.url} --pool web --place=-33.87,151.21`.split(
      ' ',
    ),
    home,
  );
  const row = async () => (await usher.json<readonly Row[]>('backends')).find(({ id }) => id === 'b1');
  try {
    const reported = await until('reports', async () => {
      const found = await row();
      return found?.stats != null && found;
    });
    expect(reported.origin).toBe('agent');
    expect(reported.stats?.memoryTotalBytes).toBeGreaterThan(0);
    expect(await bodies(usher.traffic, 3)).toEqual(['b1', 'b1', 'b1']);

    await usher.run('backends', 'remove', 'b1');
    await until('registered again', () => /registered.*registered/s.test(agent.output()));
    await until('in service again', async () => (await bodies(usher.traffic, 1))[0] === 'b1');

    expect((await end(agent, 'SIGTERM')).code).toBe(0);
    await until('gone', async () => (await row()) === undefined);
  } finally {
    agent.child.kill('SIGKILL');
    await usher.kill9();
    await backend.stop();
  }
});
