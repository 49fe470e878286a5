import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { tempDir } from '@usher/testing';
import { afterAll, expect, test } from 'vitest';
import { usher } from './support/command.ts';

const directory = tempDir();
afterAll(() => directory.remove());

function configFile(name: string, text: string): string {
  mkdirSync(directory.path, { recursive: true });
  const file = path.join(directory.path, name);
  writeFileSync(file, text);
  return file;
}

const FAULTY = configFile(
  'faulty.yaml',
  `listen: ["127.0.0.1:99999"]
trusted_proxies: [10.0.0.0/64]
timeouts: { connect: 3 }
pools:
  web:
    stratgy: p2c
    backends:
      - { id: web-1, url: "ftp://127.0.0.1:3000" }
routes:
  - { path: "/*", pool: wbe }
`,
);

/** Where the faults of that file are: port, prefix, duration without a unit, unknown key, scheme, unknown pool. */
const PLACES = ['1:10', '2:19', '3:22', '6:5', '8:27', '10:25'];

test('every fault of a configuration is told in one run, with its place, and the exit code is 2', async () => {
  const { code, stdout, stderr } = await usher(['check', FAULTY]);
  const places = stderr.split('\n').flatMap((line) => /^.*faulty\.yaml:(\d+:\d+) /.exec(line)?.[1] ?? []);
  expect(places, stderr).toEqual(PLACES);
  expect(stderr).toMatch(/did you mean "strategy"\?/);
  expect(stderr).toMatch(/did you mean "web"\?/);
  expect(stdout).toBe('');
  expect(code).toBe(2);
});

test('running a faulty configuration tells the same and starts nothing', async () => {
  const [checked, run] = await Promise.all([usher(['check', FAULTY]), usher(['run', '--config', FAULTY])]);
  expect(run.stderr).toBe(checked.stderr);
  expect(run.code).toBe(2);
});

test('a configuration without faults is accepted', async () => {
  const file = configFile('good.yaml', 'pools: { web: { backends: ["http://127.0.0.1:3000"] } }\n');
  expect(await usher(['check', file])).toMatchObject({ code: 0, stderr: '' });
});

test('what the command line does not know is bad usage', async () => {
  const results = await Promise.all([
    usher(['frobnicate']),
    usher(['run', '--frobnicate']),
    usher(['drain']),
  ]);
  expect(results.map(({ code }) => code)).toEqual([2, 2, 2]);
});

test('the version is the one of the project, and the schema is JSON Schema', async () => {
  const [version, schema] = await Promise.all([usher(['version']), usher(['schema'])]);
  expect(version.stdout).toMatch(/\d+\.\d+\.\d+/);
  const { $schema, properties } = JSON.parse(schema.stdout) as { $schema: string; properties: object };
  expect($schema).toContain('json-schema.org');
  expect(Object.keys(properties)).toEqual(expect.arrayContaining(['listen', 'pools', 'routes']));
});
