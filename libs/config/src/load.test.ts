import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ConfigError } from './fault.ts';
import { type LoadOptions, loadConfig } from './load.ts';
import type { UsherConfig } from './settings.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'usher-config-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function write(name: string, content: string | Uint8Array): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}

async function load(options: Partial<LoadOptions>): Promise<UsherConfig> {
  return await loadConfig({ env: {}, overrides: [], hostname: 'host', ...options });
}

/** What is wrong with a file, with the test's folder taken out. */
async function faultsOfFile(file: string): Promise<string> {
  try {
    await load({ file });
    return '';
  } catch (error) {
    if (error instanceof ConfigError) return error.message.replaceAll(folder, 'FOLDER');
    throw error;
  }
}

test('a file is loaded, and relative paths start at its folder', async () => {
  mkdirSync(join(folder, 'plugins'));
  write('plugins/own.ts', 'export default async () => {};');
  write('token', 'secret of the file\n');
  const file = write(
    'good.yaml',
    [
      'data: ./state',
      'admin: { tokens: [{ name: ops, secret: file:token, role: admin }] }',
      'pools: { web: {} }',
      'routes: [{ path: /*, pool: web, plugins: [{ name: own, file: plugins/own.ts, depth: 3 }] }]',
    ].join('\n'),
  );
  const { local, shared } = await load({ file: relative(process.cwd(), file) });
  expect(local.data).toBe(join(folder, 'state'));
  expect(local.admin?.tokens[0]?.secret).toBe('secret of the file');
  expect(shared.routes[0]?.plugins).toEqual([
    { name: 'own', file: join(folder, 'plugins/own.ts'), options: { depth: 3 } },
  ]);
});

test('without a file there are defaults, and data is in the working directory', async () => {
  const nothing = await load({});
  expect(nothing.local).toMatchObject({ name: 'host', workers: 'auto', data: join(process.cwd(), 'data') });
  expect(await load({ text: '' })).toEqual(nothing);
});

test('text stands in for a file', async () => {
  expect((await load({ text: 'workers: 3' })).local.workers).toBe(3);
  await expect(load({ text: 'workers: no' })).rejects.toThrow(/^config:1:10 workers: /);
  const file = join(folder, 'named.yaml');
  await expect(load({ text: 'workers: no', file })).rejects.toThrow(`${file}:1:10 workers: `);
});

test('a byte order mark does not count', async () => {
  expect((await load({ file: write('bom.yaml', '\uFEFFworkers: 3') })).local.workers).toBe(3);
});

test('a file that cannot be read as text is one clear fault', async () => {
  expect(await faultsOfFile(join(folder, 'none.yaml'))).toBe('FOLDER/none.yaml: there is no such file');
  expect(await faultsOfFile(folder)).toBe('FOLDER: this is a directory, not a file');
  symlinkSync('loop', join(folder, 'loop'));
  expect(await faultsOfFile(join(folder, 'loop'))).toBe('FOLDER/loop: the file cannot be read: ELOOP');
  expect(await faultsOfFile(write('empty.yaml', ''))).toBe('FOLDER/empty.yaml:1:1: the file is empty');
  const large = new Uint8Array(8 * 1024 * 1024 + 1).fill(0x20);
  expect(await faultsOfFile(write('large.yaml', large))).toBe(
    'FOLDER/large.yaml: the file is longer than 8388608 bytes',
  );
});

test('bytes that are not UTF-8 are named by their place', async () => {
  const latin1 = Buffer.concat([
    Buffer.from('name: x # \u20ac\nzone: K'),
    Buffer.from([0xf6]),
    Buffer.from('ln\n'),
  ]);
  expect(await faultsOfFile(write('latin1.yaml', latin1))).toBe(
    'FOLDER/latin1.yaml:2:8: the file is not UTF-8',
  );
  const utf16 = Buffer.from('\uFEFFworkers: 1\n', 'utf16le');
  expect(await faultsOfFile(write('utf16.yaml', utf16))).toBe('FOLDER/utf16.yaml:1:1: the file is not UTF-8');
});

test('a plugin that is not there is a fault at its place', async () => {
  const file = write(
    'plugin.yaml',
    'pools: { web: {} }\nroutes: [{ path: /*, pool: web, plugins: [{ name: own, file: none.ts }, { name: own, file: . }] }]',
  );
  expect((await faultsOfFile(file)).split('\n')).toEqual([
    'FOLDER/plugin.yaml:2:62 routes[0].plugins[0].file: there is no such file: FOLDER/none.ts',
    'FOLDER/plugin.yaml:2:92 routes[0].plugins[1].file: there is no such file: FOLDER',
  ]);
});
