import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { tempDir } from '@usher/testing';
import { afterEach, expect, test } from 'vitest';
import { start, USHER, usher } from './support/command.ts';

const LIMIT_MS = 60_000;
const folders: { remove(): void }[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) folder.remove();
});

function folder(): string {
  const made = tempDir();
  folders.push(made);
  return made.path;
}

test(
  'init asks nothing and writes a configuration without a fault, and never over one that is there',
  async () => {
    const cwd = folder();
    expect(await usher(['init'], cwd)).toMatchObject({ code: 0, stderr: '' });
    const written = readFileSync(path.join(cwd, 'usher.yaml'), 'utf8');
    expect(await usher(['check'], cwd)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('backends 1'),
    });
    const again = await usher(['init', '--backend', 'http://10.0.0.1:1'], cwd);
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining('--force') });
    expect(readFileSync(path.join(cwd, 'usher.yaml'), 'utf8')).toBe(written);
    const forced = [
      'init',
      '--force',
      '--pool',
      'api',
      '--backend',
      'http://10.0.0.1:1',
      '--backend',
      'b=http://10.0.0.2:1',
    ];
    expect((await usher(forced, cwd)).code).toBe(0);
    const text = readFileSync(path.join(cwd, 'usher.yaml'), 'utf8');
    expect(text).toContain('"api-1"');
    expect((await usher(['check', '--json'], cwd)).stdout).toContain('"backends":2');
  },
  LIMIT_MS,
);

test(
  'init tells what is wrong with a backend and writes nothing',
  async () => {
    const cwd = folder();
    const { code, stderr } = await usher(['init', '--file', 'a.yaml', '--backend', 'ftp://10.0.0.1'], cwd);
    expect(stderr).toContain('pools.web.backends[0].url');
    expect(code).toBe(2);
    expect((await usher(['check', 'a.yaml'], cwd)).code).toBe(2);
  },
  LIMIT_MS,
);

test.each([[[]], [['--full']]])(
  'what generate-config prints is a configuration: %j',
  async (args) => {
    const cwd = folder();
    const { stdout } = await usher(['generate-config', ...args], cwd);
    writeFileSync(path.join(cwd, 'usher.yaml'), stdout);
    expect(await usher(['check'], cwd)).toMatchObject({ code: 0, stderr: '' });
  },
  LIMIT_MS,
);

test(
  'a token is another one each time, and its lines make a configuration that knows it',
  async () => {
    const cwd = folder();
    const make = async () =>
      JSON.parse((await usher(['token', 'create', '--role', 'operate', '--json'], cwd)).stdout);
    const [one, two] = [await make(), await make()];
    expect(one.secret).toMatch(/^[\w-]{43}$/);
    expect(one.secret).not.toBe(two.secret);
    writeFileSync(path.join(cwd, 'usher.yaml'), `${one.config}\n`);
    const check = (more: Record<string, string>) => start(USHER, ['check'], cwd, more).result;
    expect((await check({ [one.variable]: one.secret })).code).toBe(0);
    expect((await check({})).stderr).toContain(`${one.variable} is not set`);
    const plain = await usher(['token', 'create'], cwd);
    expect(plain.stdout).toMatch(/^USHER_TOKEN_READ=[\w-]{43}\n/);
  },
  LIMIT_MS,
);

test.each([
  ['token create --role root', '--role takes one of'],
  ['token create --role agent', 'needs --backend'],
  ['token create --backend b', '--backend is for --role agent'],
  ['token create --name a.b', '--name takes'],
  ['completion tcsh', 'SHELL takes one of bash, zsh, fish'],
  ['generate-config now', 'unexpected argument: now'],
])('bad usage says what is wrong: usher %s', async (line, message) => {
  const { code, stderr } = await usher(line.split(' '));
  expect(stderr).toContain(message);
  expect(code).toBe(2);
});
