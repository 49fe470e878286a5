import { randomUUID } from 'node:crypto';
import { rename, symlink, writeFile } from 'node:fs/promises';
import { afterEach, expect, test } from 'vitest';
import { policy } from '../testing/fixtures.ts';
import { ask, until } from '../testing/http.ts';
import { backend, closeAll, lane, pluginFile, withPlugin } from '../testing/plugin-lane.ts';

afterEach(closeAll);

const stamping = (mark: string) =>
  `export default async (app) => { app.addHook('onSend', async (_, reply) => { reply.header('x-stamp', '${mark}'); }); }`;

/** As editors do it. */
async function replace(file: string, source: string): Promise<void> {
  const beside = `${file}.${randomUUID()}`;
  await writeFile(beside, source);
  await rename(beside, file);
}

async function serving(source: string) {
  const file = await pluginFile(source);
  const one = await backend('one');
  const started = await lane([one.url], withPlugin(file, 'A'));
  const stamp = async () => (await ask(started.port, { path: '/s/1' })).headers['x-stamp'];
  return { ...started, one, file, stamp };
}

test('a changed file counts from then on, for requests that come then', async () => {
  const { file, stamp, log } = await serving(stamping('first'));
  expect(await stamp()).toBe('first');
  for (const mark of ['second', 'third', 'first']) {
    await replace(file, stamping(mark));
    await until(async () => (await stamp()) === mark, `${mark} is in use`);
  }
  expect(log.entries.every(({ level }) => level === 'info')).toBe(true);
});

test('a file behind a link counts as soon as the link leads to another', async () => {
  const [first, second] = [await pluginFile(stamping('first')), await pluginFile(stamping('second'))];
  const link = `${first}.link.mjs`;
  await symlink(first, link);
  const one = await backend('one');
  const { port } = await lane([one.url], withPlugin(link, ''));
  const stamp = async () => (await ask(port, { path: '/s/1' })).headers['x-stamp'];
  expect(await stamp()).toBe('first');
  await symlink(second, `${link}.next`);
  await rename(`${link}.next`, link);
  await until(async () => (await stamp()) === 'second', 'the other is in use');
});

test.each([
  ['is no JavaScript', 'export default async (app) => {'],
  ['throws when it is loaded', `throw new Error('no database');`],
  ['exports nothing', 'export const plugin = 1;'],
  ['throws when it is set up', `export default async () => { throw new Error('no options'); }`],
])('a changed file that %s leaves the plugin as it was, and it is said', async (_why, source) => {
  const { file, stamp, log } = await serving(stamping('first'));
  expect(await stamp()).toBe('first');
  await replace(file, source);
  await until(() => log.entries.some(({ level }) => level === 'error'), 'it is said');
  expect(await stamp()).toBe('first');
  await replace(file, stamping('second'));
  await until(async () => (await stamp()) === 'second', 'the repaired one is in use');
  expect(log.entries.filter(({ level }) => level === 'error')).toHaveLength(1);
});

test('a file that could not be loaded at first is used as soon as it can', async () => {
  const { file, stamp, port } = await serving('export default 1;');
  expect((await ask(port, { path: '/s/1' })).status).toBe(500);
  await replace(file, stamping('first'));
  await until(async () => (await stamp()) === 'first', 'it is in use');
});

test.each([
  ['onRequest', 'GET'],
  ['preHandler', 'GET'],
  ['preHandler', 'POST'],
])('a plugin that never answers in %s does not keep a %s waiting', async (hook, method) => {
  const file = await pluginFile(
    `export default async (app) => { app.addHook('${hook}', () => new Promise(() => {})); }`,
  );
  const one = await backend('one');
  const { timeouts } = policy();
  const { port, log, slot } = await lane([one.url], {
    ...withPlugin(file, ''),
    timeouts: { ...timeouts, responseMs: 50 },
  });
  const answer = await ask(port, { path: '/s/1', method, ...(method === 'POST' && { body: 'abc' }) });
  expect(answer.status).toBe(500);
  expect(JSON.parse(answer.text)).toMatchObject({ code: 'internal' });
  expect(log.entries).toMatchObject([{ level: 'error', fields: { route: 'stamped', plugins: 'stamp' } }]);
  expect([one.seen.length, slot(0).requests]).toEqual([0, 0]);
  expect((await ask(port, { path: '/other' })).text).toBe('one');
});
