import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { policy, pool } from '../testing/fixtures.ts';
import { ask, freePort, until } from '../testing/http.ts';
import { backend, closeAll, lane } from '../testing/plugin-lane.ts';

afterEach(closeAll);

describe('attempts', () => {
  test('are counted once each, however they end', async () => {
    const failing = await backend('failing', (request, response) => {
      if (request.url === '/500') response.writeHead(500).end('no');
      else if (request.url === '/cut') {
        response.writeHead(200, { 'content-length': 100 }).write('half');
        setImmediate(() => request.socket.destroy());
      } else if (request.url === '/hang') return;
      else response.end('ok');
    });
    const { port, slot, counters } = await lane(
      [failing.url],
      {},
      pool({ breaker: { ...pool().breaker, enabled: false } }),
    );
    await ask(port);
    expect(slot(0)).toMatchObject({ inFlight: 0, requests: 1, failures: 0 });
    expect((await ask(port, { path: '/500' })).text).toBe('no');
    expect(slot(0)).toMatchObject({ inFlight: 0, requests: 2, failures: 1 });
    await expect(ask(port, { path: '/cut' })).rejects.toThrow();
    expect(slot(0)).toMatchObject({ inFlight: 0, requests: 3, failures: 2 });
    const client = connect(port, '127.0.0.1', () => client.write('GET /hang HTTP/1.1\r\nhost: h\r\n\r\n'));
    await until(() => slot(0).inFlight === 1, 'the request is under way');
    client.destroy();
    await until(() => slot(0).inFlight === 0, 'the request is over');
    expect(counters.clientAborts).toBe(1);
    expect(slot(0)).toMatchObject({ requests: 4, failures: 2 });
  });

  test('go to another backend when the first cannot be reached, with the body, whatever the method', async () => {
    const echo = await backend('echo', (request, response) => request.pipe(response));
    const { port, slot } = await lane([`http://127.0.0.1:${await freePort()}`, echo.url]);
    const body = JSON.stringify({ text: 'again' });
    const answer = await ask(port, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
    expect(answer).toMatchObject({ status: 200, text: body });
    expect(slot(0)).toMatchObject({ inFlight: 0, requests: 1, failures: 1 });
    expect(slot(1)).toMatchObject({ inFlight: 0, requests: 1, failures: 0 });
  });

  test('are not repeated for a POST that may have reached the backend, but are for a GET', async () => {
    const dropping = await backend('dropping', (request) => void request.socket.destroy());
    const good = await backend('good');
    const { port } = await lane([dropping.url, good.url]);
    const answer = await ask(port, { method: 'POST', body: 'x' });
    expect(answer.status).toBe(502);
    expect(JSON.parse(answer.text)).toMatchObject({ code: 'backend_closed' });
    expect(good.seen).toHaveLength(0);
    await ask(port);
    expect((await ask(port)).text).toBe('good');
    expect(dropping.seen).toHaveLength(2);
  });

  test('never repeat a 503 of a backend on their own account', async () => {
    const busy = await backend('busy', (_request, response) => response.writeHead(503).end('busy'));
    const { port } = await lane([busy.url]);
    expect(await ask(port)).toMatchObject({ status: 503, text: 'busy' });
    expect(busy.seen).toHaveLength(1);
  });

  test('say when nobody could be reached', async () => {
    const { port } = await lane([`http://127.0.0.1:${await freePort()}`]);
    const answer = await ask(port);
    expect(answer.status).toBe(502);
    expect(JSON.parse(answer.text)).toMatchObject({ code: 'connect_failed' });
  });

  test('end when the time for the whole request is over', async () => {
    const slow = await backend('slow', (request, response) => {
      if (request.url === '/dribble') response.writeHead(200).write('x');
    });
    const { port, slot } = await lane([slow.url], { timeouts: { ...policy().timeouts, requestMs: 60 } });
    expect((await ask(port)).status).toBe(504);
    await expect(ask(port, { path: '/dribble' })).rejects.toThrow();
    expect(slot(0)).toMatchObject({ inFlight: 0, failures: 2 });
  });

  test('end when the backend pauses for too long within its response', async () => {
    const frozen = await backend('frozen', (_request, response) => response.writeHead(200).write('x'));
    const { port, slot } = await lane([frozen.url], {
      timeouts: { ...policy().timeouts, responseIdleMs: 50 },
    });
    await expect(ask(port)).rejects.toThrow();
    expect(slot(0)).toMatchObject({ inFlight: 0, failures: 1 });
  });

  test('end when the backend takes too long', async () => {
    const slow = await backend('slow', () => {});
    const { port, slot } = await lane([slow.url], { timeouts: { ...policy().timeouts, responseMs: 50 } });
    const answer = await ask(port);
    expect(answer.status).toBe(504);
    expect(JSON.parse(answer.text)).toMatchObject({ code: 'response_timeout' });
    expect(slot(0)).toMatchObject({ inFlight: 0, failures: 1 });
  });
});
