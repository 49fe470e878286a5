import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { limitOf, pool, row } from '../testing/fixtures.ts';
import { ask, until } from '../testing/http.ts';
import { backend, closeAll, dial, echoing, lane, problem, zipped } from '../testing/plugin-lane.ts';

afterEach(closeAll);

/** A lane with one backend that takes one request at a time and answers it when it is told to. */
async function busyLane(queue = { max: 10, timeoutMs: 10_000 }) {
  const held: ServerResponse[] = [];
  const slow = await backend('slow', (_request, response) => void held.push(response));
  const started = await lane([slow.url], zipped, pool({ queue }));
  const limited = row('b0', { url: slow.url, limit: limitOf(1) });
  started.table.apply([{ kind: 'backend', row: limited }], 10, Date.now());
  const first = ask(started.port);
  await until(() => held.length === 1, 'the first request has come');
  const { line } = started.table.match('', '/')!.pool;
  return { ...started, held, first, counts: () => line!.counts };
}

describe('a request for a backend at its limit', () => {
  test('waits until there is room', async () => {
    const { port, held, first, counts } = await busyLane();
    const second = ask(port, { method: 'POST', body: 'data' });
    await until(() => counts().waiting === 1, 'it waits');
    held[0]?.end('one');
    await until(() => held.length === 2, 'the second request has come');
    held[1]?.end('two');
    expect([(await first).text, (await second).text]).toEqual(['one', 'two']);
    expect(counts()).toMatchObject({ waiting: 0, exits: { served: 1 } });
  });

  test('is answered with 503 when that takes too long, or too many wait', async () => {
    const { port, held, first } = await busyLane({ max: 1, timeoutMs: 50 });
    const answers = await Promise.all([ask(port), ask(port)]);
    for (const answer of answers) {
      expect(problem(answer)).toMatchObject({ status: 503, code: 'overloaded' });
      expect(answer.headers['retry-after']).toBe('1');
    }
    held[0]?.end('one');
    expect((await first).text).toBe('one');
  });

  test('is forgotten when its client leaves', async () => {
    const { port, held, first, counts } = await busyLane();
    const client = connect(port, '127.0.0.1', () => client.write('GET / HTTP/1.1\r\nhost: h\r\n\r\n'));
    await until(() => counts().waiting === 1, 'it waits');
    client.destroy();
    await until(() => counts().waiting === 0, 'it is forgotten');
    held[0]?.end('one');
    await first;
    expect(held).toHaveLength(1);
    expect(counts().exits).toMatchObject({ left: 1, served: 0 });
  });
});

test('a WebSocket counts as long as it lasts, and others wait for its end', async () => {
  const echo = await echoing();
  const { port, table } = await lane([echo.url], zipped, pool({ queue: { max: 10, timeoutMs: 10_000 } }));
  table.apply([{ kind: 'backend', row: row('b0', { url: echo.url, limit: limitOf(1) }) }], 10, Date.now());
  const one = dial(port, '/', 'hello');
  await until(() => one.text.endsWith('hello'), 'the tunnel stands');
  const two = dial(port, '/', 'again');
  const { line } = table.match('', '/')!.pool;
  await until(() => line?.counts.waiting === 1, 'the second one waits');
  one.client.destroy();
  await until(() => two.text.endsWith('again'), 'the second one stands');
});
