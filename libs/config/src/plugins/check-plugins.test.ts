import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from '@usher/testing';
import { afterAll, expect, test } from 'vitest';
import { ConfigError, formatFault } from '../fault.ts';
import { loadConfig } from '../load.ts';

const folder = tempDir();
afterAll(() => folder.remove());
const at = (name: string) => join(folder.path, name);
const write = (name: string, source: string) => writeFileSync(at(name), source);

/** Leaves something behind when it is run. */
const RUN = at('run');
const LEAVING = `import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(RUN)}, '');`;

write('good.mjs', `${LEAVING} export default async () => {};`);
write('typed.ts', `${LEAVING} export default async (app: object): Promise<void> => {};`);
write('inner.mjs', `${LEAVING} export { default } from './good.mjs';`);
write(
  'common.cjs',
  `require('node:fs').writeFileSync(${JSON.stringify(RUN)}, ''); module.exports = async () => {};`,
);
write('syntax.mjs', '\nexport default async () => { S3CRET S3CRET');
write('regexp.mjs', '/(S3CRET/');
write('syntax.js', 'export default async () => { S3CRET S3CRET');
write('syntax.cjs', 'module.exports = { S3CRET S3CRET');
write('other.mjs', `import { S3CRET } from './good.mjs'; export default async () => {};`);
write('module.js', `${LEAVING} export default async () => {};`);
write(
  'common.js',
  `#!/usr/bin/env node\nrequire('node:fs').writeFileSync(${JSON.stringify(RUN)}, ''); module.exports = async () => {};`,
);
write('enum.ts', 'enum A { a }\nexport default async () => {};');
write('nothing.mjs', `${LEAVING} export const plugin = async () => {};`);
write('alone.mjs', `${LEAVING} import './S3CRET.mjs'; export default async () => {};`);
write('passwd', 'S3CRET:x:0:0:S3CRET:/S3CRET:/bin/sh');
write('number.mjs', `export default 1;`);
write('throws.mjs', `export default async () => {}; throw new Error('no database');`);
write('exits.mjs', `export default async () => {}; process.exit(0);`);
write(
  'later.mjs',
  `setImmediate(() => { throw new Error('too late'); }); await new Promise(() => {}); export default async () => {};`,
);
mkdirSync(at('folder.mjs'));
symlinkSync(at('good.mjs'), at('link.mjs'));

async function faultsOf(plugins: readonly string[], runPlugins = false): Promise<readonly string[]> {
  const list = plugins.map((file) => `{ name: own, file: ${JSON.stringify(file)} }`).join(', ');
  const text = `pools: { web: {} }\nroutes:\n  - { path: /*, pool: web, plugins: [${list}] }\n`;
  try {
    await loadConfig({ file: at('usher.yaml'), text, env: {}, overrides: [], hostname: 'h', runPlugins });
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.faults.map(formatFault);
  }
}

test('plugins that can be loaded are found to be so without being run', async () => {
  const files = [
    'good.mjs',
    './typed.ts',
    'inner.mjs',
    'common.cjs',
    'common.js',
    'module.js',
    'link.mjs',
    'good.mjs',
  ];
  expect(await faultsOf(files)).toEqual([]);
  expect(existsSync(RUN)).toBe(false);
});

test.each([
  ['none.mjs', 'there is no such file'],
  ['folder.mjs', 'there is no such file'],
  ['../none/../../good.mjs', 'there is no such file'],
  ['good.mjs\0', 'a path cannot contain a NUL character'],
  ['syntax.mjs', 'it is no JavaScript: Unexpected identifier'],
  ['regexp.mjs', 'it is no JavaScript: Invalid regular expression'],
  ['syntax.js', 'it is no JavaScript'],
  ['syntax.cjs', 'it is no JavaScript'],
  ['other.mjs', 'it imports what cannot be found'],
  ['enum.ts', 'it is no JavaScript: TypeScript enum is not supported'],
  ['nothing.mjs', 'it has no default export that is a Fastify plugin'],
  ['alone.mjs', 'it imports what cannot be found'],
  ['passwd', 'it is no JavaScript'],
])('%j is refused at its place, and nothing is run or quoted', async (file, message) => {
  const faults = await faultsOf(['good.mjs', file]);
  expect(faults).toHaveLength(1);
  expect(faults[0]).toMatch(/usher\.yaml:3:\d+ routes\[0\]\.plugins\[1\]\.file: /);
  expect(faults[0]).toContain(message);
  expect(faults[0]).not.toContain('S3CRET');
  expect(existsSync(RUN)).toBe(false);
});

test.each(['../good', 'a/b', '..', 'C:\\x', 'file:x', ''])('%j is no name of a plugin', async (name) => {
  const text = `pools: { web: {} }\nroutes: [{ path: /*, pool: web, plugins: [{ name: ${JSON.stringify(name)}, file: good.mjs }] }]`;
  const loading = loadConfig({ file: at('usher.yaml'), text, env: {}, overrides: [], hostname: 'h' });
  await expect(loading).rejects.toThrow('routes[0].plugins[0].name');
});

test.each([
  ['number.mjs', 'it has no default export that is a Fastify plugin'],
  ['throws.mjs', 'it throws when it is loaded: no database'],
  ['exits.mjs', 'it ends the thread that loads it'],
  ['later.mjs', 'too late'],
])('%s is refused once it is run, and not before', async (file, message) => {
  expect(await faultsOf([file])).toEqual([]);
  const faults = await faultsOf(['common.cjs', file], true);
  expect(faults).toHaveLength(1);
  expect(faults[0]).toContain('routes[0].plugins[1].file');
  expect(faults[0]).toContain(message);
});

test('plugins that are run leave nothing behind in this thread', async () => {
  write(
    'global.mjs',
    'globalThis.leftBehind = true; setInterval(() => {}, 1); export default async () => {};',
  );
  expect(await faultsOf(['global.mjs', 'good.mjs', 'typed.ts'], true)).toEqual([]);
  expect(existsSync(RUN)).toBe(true);
  expect('leftBehind' in globalThis).toBe(false);
});

test('what is wrong with plugins is told together with all else', async () => {
  const text =
    'pools: { web: {} }\nroutes:\n  - { path: /*, pool: wbe, plugins: [{ name: own, file: syntax.mjs }] }\n';
  const loading = loadConfig({ file: at('usher.yaml'), text, env: {}, overrides: [], hostname: 'h' });
  await expect(loading).rejects.toThrow(
    /there is no pool "wbe"[^]*it is no JavaScript: Unexpected identifier/,
  );
});
