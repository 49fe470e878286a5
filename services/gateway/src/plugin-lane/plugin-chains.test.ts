import { afterEach, describe, expect, test } from 'vitest';
import { policy } from '../testing/fixtures.ts';
import { ask, oneConnection, until } from '../testing/http.ts';
import { backend, closeAll, closeLater, lane, pluginFile, withPlugin } from '../testing/plugin-lane.ts';

afterEach(closeAll);

describe("a user's plugin", () => {
  const STAMP = `
    export default async function stamp(app, options) {
      app.addHook('onSend', async (request, reply) => { reply.header('x-stamp', options.mark + request.url); });
    }`;

  test('sees the requests of its route and of no other, with its options', async () => {
    const one = await backend('one');
    const { port } = await lane([one.url], withPlugin(await pluginFile(STAMP), 'A'));
    expect((await ask(port, { path: '/s/1' })).headers['x-stamp']).toBe('A/s/1');
    expect((await ask(port, { path: '/other' })).headers['x-stamp']).toBeUndefined();
  });

  test('may refuse a request in its own words', async () => {
    const file = await pluginFile(`
      export default async function guard(app) {
        app.addHook('onRequest', async (request) => {
          if (request.headers.authorization === undefined) throw Object.assign(new Error('who are you?'), { statusCode: 401 });
          throw new Error('secret detail');
        });
      }`);
    const one = await backend('one');
    const { port, slot } = await lane([one.url], withPlugin(file, ''));
    const refused = await ask(port, { path: '/s/1' });
    expect(refused.status).toBe(401);
    expect(JSON.parse(refused.text)).toMatchObject({ status: 401, detail: 'who are you?' });
    const broken = await ask(port, { path: '/s/1', headers: { authorization: 'x' } });
    expect(broken.status).toBe(500);
    expect(broken.text).not.toContain('secret');
    expect(one.seen).toHaveLength(0);
    expect(slot(0).requests).toBe(0);
  });

  test('that cannot be loaded keeps its own route from being served and no other', async () => {
    const one = await backend('one');
    const { port, log } = await lane([one.url], withPlugin('/nonexistent/plugin.mjs', ''));
    const errors = () => log.entries.filter(({ level }) => level === 'error');
    await until(() => errors().length > 0, 'it is reported before anybody asks');
    expect((await ask(port, { path: '/s/1' })).status).toBe(500);
    expect((await ask(port, { path: '/other' })).text).toBe('one');
    expect(errors()).toMatchObject([{ fields: { plugins: 'stamp' } }]);
  });

  test('follows a change of policy on the same connection, while requests under way end as they began', async () => {
    const gate = Promise.withResolvers<void>();
    const one = await backend('one', (request, response) => {
      if (request.url === '/s/slow') void gate.promise.then(() => response.end('slow'));
      else response.end('one');
    });
    const file = await pluginFile(STAMP);
    const { port, update } = await lane([one.url], withPlugin(file, 'A'));
    const agent = oneConnection();
    closeLater(() => agent.destroy());
    expect((await ask(port, { path: '/s/1', agent })).headers['x-stamp']).toBe('A/s/1');
    const slow = ask(port, { path: '/s/slow' });
    await until(() => one.seen.length === 2, 'the slow request is under way');
    update(withPlugin(file, 'B'));
    expect((await ask(port, { path: '/s/2', agent })).headers['x-stamp']).toBe('B/s/2');
    gate.resolve();
    expect(await slow).toMatchObject({ text: 'slow', headers: { 'x-stamp': 'A/s/slow' } });
  });

  test('is set up anew when a limit changes that its app was built with, and for no other', async () => {
    const file = await pluginFile(`
      let times = 0;
      export default async function count(app) {
        const time = String(++times);
        app.addHook('onSend', async (request, reply) => { reply.header('x-time', time); });
      }`);
    const one = await backend('one');
    const plugged = withPlugin(file, 'A');
    const { limits } = policy();
    const { port, update } = await lane([one.url], plugged);
    const time = async () => (await ask(port, { path: '/s/1' })).headers['x-time'];
    expect(await time()).toBe('1');
    update({ ...plugged, limits: { ...limits, connections: limits.connections + 1 } });
    expect(await time()).toBe('1');
    update({ ...plugged, limits: { ...limits, requestBodyBytes: 10 } });
    expect(await time()).toBe('2');
  });
});
