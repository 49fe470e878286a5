import {
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { tempDir } from '@usher/testing';
import { afterAll, expect, test } from 'vitest';
import { startBackend } from './support/backend.ts';
import { bodies } from './support/load.ts';
import { UsherProcess } from './support/usher-process.ts';
import { until } from './support/wait.ts';

const directory = tempDir();
const open: { stop(): unknown }[] = [];
afterAll(async () => {
  for (const each of open.toReversed()) await each.stop();
  directory.remove();
});

test('a change is told before it counts, counts however the file is put in place, and an empty one changes nothing', async () => {
  const [a, b] = [await startBackend('a'), await startBackend('b')];
  open.push(a, b);
  const usher = await UsherProcess.start({
    directory: directory.path,
    config: `workers: 1
pools:
  web: { health: { type: none }, backends: [{ id: a, url: "${a.url}" }] }
routes: [{ id: all, path: "/*", pool: web }]
`,
  });
  open.push(usher);
  const { configFile: file } = usher;
  const first = readFileSync(file, 'utf8');
  const second = first
    .replace('workers: 1', 'workers: 2')
    .replace(`[{ id: a, url: "${a.url}" }]`, `[{ id: b, url: "${b.url}" }]`);
  const served = async () => [...new Set(await bodies(usher.traffic, 4))].toSorted().join();
  const check = async (text: string, ...more: readonly string[]) => {
    const next = path.join(directory.path, 'next.yaml');
    writeFileSync(next, text);
    return await usher.run('check', next, '--against', 'running', ...more);
  };
  await until('the first serves', async () => (await served()) === 'a');

  expect(await check(first)).toMatchObject({ code: 0, stdout: 'nothing would change\n' });
  const changed = await check(second);
  expect([changed.code, changed.stdout.trim().split('\n')]).toEqual([
    1,
    [
      expect.stringMatching(/^backends\.a: \{.*\} → \(none\)$/),
      expect.stringMatching(/^backends\.b: \(none\) → \{.*\}$/),
      'workers: changes only with a restart',
    ],
  ]);
  const told = JSON.parse((await check(second, '--json')).stdout) as { preview: unknown };
  expect(told.preview).toMatchObject({
    changes: [{ path: 'backends.a' }, { path: 'backends.b' }],
    restart: ['workers'],
  });
  expect((await check('pools: 1')).code).toBe(2);
  expect(await served()).toBe('a');

  // As Kubernetes mounts it: a link to a file in a folder behind a link, which is exchanged.
  const mount = (release: string, text: string) => {
    const folder = path.join(directory.path, release);
    mkdirSync(folder);
    writeFileSync(path.join(folder, 'usher.yaml'), text);
    symlinkSync(release, path.join(directory.path, '..data_tmp'));
    renameSync(path.join(directory.path, '..data_tmp'), path.join(directory.path, '..data'));
  };
  mount('..one', first);
  rmSync(file);
  symlinkSync('..data/usher.yaml', file);
  mount('..two', second);
  await until('the second serves', async () => (await served()) === 'b');
  truncateSync(file);
  await until('that it is empty is told', () => usher.output.includes('the file is empty'));
  expect(await served()).toBe('b');
  writeFileSync(file, first);
  await until('the first serves again', async () => (await served()) === 'a');
});
