import { afterEach, describe, expect, test } from 'vitest';
import { route } from '../testing/fixtures.ts';
import { freePort, until } from '../testing/http.ts';
import { backend, closeAll, dial, echoing, GZIP, lane, pluginFile, zipped } from '../testing/plugin-lane.ts';

afterEach(closeAll);

describe('a WebSocket', () => {
  test('goes both ways after the plugins let it pass, and is counted as long as it lives', async () => {
    const echo = await echoing();
    const { port, slot, answered } = await lane([echo.url], zipped);
    const socket = dial(port, '/chat?room=1', 'early ');
    await until(() => socket.text.endsWith('early '), 'what came with the request is echoed');
    socket.client.write('later');
    await until(() => socket.text.endsWith('early later'), 'what came later is echoed');
    expect(socket.text).toMatch(/^HTTP\/1\.1 101 /);
    expect(echo.seen[0]).toMatchObject({ url: '/chat?room=1', headers: { 'x-forwarded-for': '127.0.0.1' } });
    expect(slot(0)).toMatchObject({ inFlight: 1, requests: 0 });
    expect(answered()).toEqual({ zip: '1xx × 1', total: '1xx × 1' });
    socket.client.end();
    await until(() => slot(0).inFlight === 0, 'it is over');
    expect(slot(0)).toMatchObject({ requests: 1, failures: 0 });
  });

  test('gets what the backend answers instead', async () => {
    const echo = await echoing();
    const { port, slot, answered } = await lane([echo.url], zipped);
    const socket = dial(port, '/refused');
    await until(() => socket.ended, 'it is over');
    expect(socket.text).toMatch(/^HTTP\/1\.1 403 Forbidden[^]*no$/);
    await until(() => slot(0).requests === 1, 'it is counted');
    expect(answered()).toEqual({ zip: '4xx × 1', total: '4xx × 1' });
  });

  test('goes to another backend when the first cannot be reached, and fails when none can', async () => {
    const echo = await echoing();
    const dead = `http://127.0.0.1:${await freePort()}`;
    const { port } = await lane([dead, echo.url], zipped);
    const socket = dial(port, '/', 'hello');
    await until(() => socket.text.endsWith('hello'), 'the other backend answers');
    const alone = await lane([dead], zipped);
    const failed = dial(alone.port, '/');
    await until(() => failed.ended, 'it is answered');
    expect(failed.text).toMatch(/^HTTP\/1\.1 502 /);
    expect(alone.slot(0)).toMatchObject({ inFlight: 0, failures: 1 });
  });

  test('is not what comes of asking on a route that does not allow it', async () => {
    const one = await backend('one');
    const { port } = await lane([one.url], {
      routes: [route({ id: 'zip', path: '/*', pool: 'web', plugins: [GZIP], websocket: false })],
    });
    const socket = dial(port, '/');
    await until(() => socket.text.endsWith('one'), 'the request is like any other');
    expect(one.seen[0]?.headers['upgrade']).toBeUndefined();
  });

  test('is refused when a plugin refuses it or no route matches', async () => {
    const file = await pluginFile(`
      export default async function guard(app) {
        app.addHook('onRequest', async () => { throw Object.assign(new Error('no'), { statusCode: 401 }); });
      }`);
    const echo = await echoing();
    const { port, answered } = await lane([echo.url], {
      routes: [
        route({ id: 'guarded', path: '/s/*', pool: 'web', plugins: [{ name: 'guard', file, options: {} }] }),
      ],
    });
    const refused = dial(port, '/s/1');
    const lost = dial(port, '/other');
    await until(() => refused.ended && lost.ended, 'both are answered');
    expect(refused.text).toMatch(/^HTTP\/1\.1 401 /);
    expect(lost.text).toMatch(/^HTTP\/1\.1 404 /);
    expect(echo.seen).toHaveLength(0);
    expect(answered()).toEqual({ guarded: '4xx × 1', total: '4xx × 2' });
  });
});
