import { afterEach, describe, expect, it } from 'vitest';
import { Harness, type HarnessOptions } from './testing/harness.ts';
import { answering, type BackendBehaviour, ok, RawBackend } from './testing/raw-backend.ts';
import { readMessage, statusOf, until } from './testing/raw-socket.ts';

let harness: Harness;

async function start(behaviours: readonly BackendBehaviour[], options?: HarnessOptions): Promise<Harness> {
  harness = await Harness.start(behaviours, options);
  return harness;
}

afterEach(() => harness.stop());

const request = (method: string, body = ''): string =>
  `${method} / HTTP/1.1\r\nHost: any\r\n${body === '' ? '' : `Content-Length: ${body.length}\r\n`}\r\n${body}`;

const good = answering((received) => ok(`good ${received.body}`));
/** Reads a whole request and hangs up. */
const hangingUp = answering(() => undefined);

/** Answers the first request of each connection and hangs up on the second. */
const fickle: BackendBehaviour = async (connection, backend) => {
  backend.requests.push(await readMessage(connection));
  connection.send(ok('first'));
  await until(() => connection.text.length > 0 || connection.ended, 'second request');
  backend.requests.push(await readMessage(connection));
  connection.socket.destroy();
};

/** An address at which nobody listens. */
async function deadUrl(): Promise<string> {
  const backend = await RawBackend.start(good);
  const { url } = backend;
  await backend.stop();
  return url;
}

async function send(text: string): Promise<{ status: number; body: string; code: unknown }> {
  const client = harness.connect();
  client.send(text);
  const response = await readMessage(client, text.startsWith('HEAD'));
  const { body } = response;
  const code: unknown = body.startsWith('{') ? JSON.parse(body).code : undefined;
  return { status: statusOf(response), body, code };
}

describe('a request that no backend has seen', () => {
  it.each(['GET', 'POST', 'PATCH', 'WEIRD'])('by %s goes to another one', async (method) => {
    await start([good], { urls: [await deadUrl()] });
    expect(await send(request(method, 'data'))).toMatchObject({ status: 200, body: 'good data' });
    expect(harness.table.outcomes).toEqual(['connect_failed', 'ok']);
    expect(harness.lane.counts.retries).toBe(1);
  });

  it('takes its body along, also one that is longer than what is kept', async () => {
    await start([good], { urls: [await deadUrl()] });
    const body = 'x'.repeat(1_000_000);
    expect((await send(request('POST', body))).body).toBe(`good ${body}`);
  });

  it('goes nowhere twice and no further than its attempts', async () => {
    await start([good], {
      urls: [await deadUrl(), await deadUrl(), await deadUrl()],
      retry: { attempts: 2, budgetRatio: 1 },
    });
    expect(await send(request('GET'))).toMatchObject({ status: 502, code: 'connect_failed' });
    expect(harness.table.begun).toBe(3);
    await harness.stop();
    await start([], { urls: [await deadUrl()], retry: { attempts: 5, budgetRatio: 1 } });
    expect((await send(request('GET'))).status).toBe(502);
    expect(harness.table.begun).toBe(1);
  });

  it('is not retried without attempts or without budget', async () => {
    await start([good], { urls: [await deadUrl()], retry: { attempts: 0, budgetRatio: 1 } });
    expect((await send(request('GET'))).status).toBe(502);
    await harness.stop();
    await start([good, good], { urls: [await deadUrl()] });
    harness.table.takeRetry = () => false;
    expect((await send(request('GET'))).status).toBe(502);
  });

  it('is a 503 when there is no backend at all', async () => {
    await start([]);
    expect(await send(request('GET'))).toMatchObject({ status: 503, code: 'no_backend' });
    expect(harness.table.begun).toBe(0);
  });
});

describe('a request that a backend may have seen', () => {
  it.each(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])(
    'by %s goes to another one',
    async (method) => {
      await start([hangingUp, good]);
      expect((await send(request(method))).status).toBe(200);
      expect(harness.table.outcomes).toEqual(['backend_closed', 'ok']);
    },
  );

  it.each(['POST', 'PATCH', 'WEIRD', 'get'])('by %s is never sent again', async (method) => {
    await start([hangingUp, good]);
    expect(await send(request(method, 'data'))).toMatchObject({ status: 502, code: 'backend_closed' });
    expect(harness.backends[1]!.requests).toHaveLength(0);
    expect(harness.table.outcomes).toEqual(['backend_closed']);
  });

  it('takes its body along as far as that is kept', async () => {
    await start([hangingUp, good]);
    const body = 'x'.repeat(60_000);
    expect((await send(request('PUT', body))).body).toBe(`good ${body}`);
    await harness.stop();
    await start([hangingUp, good]);
    expect(await send(request('PUT', 'x'.repeat(200_000)))).toMatchObject({ status: 502 });
    expect(harness.backends[1]!.connections).toHaveLength(0);
  });

  it('in chunks takes its body along too, even when it was sent only in part', async () => {
    await start([
      async (connection) => {
        await connection.takeThrough('abc');
        connection.socket.destroy();
      },
      good,
    ]);
    const client = harness.connect();
    client.send('PUT / HTTP/1.1\r\nHost: any\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
    await until(() => harness.table.begun === 2, 'second attempt begun');
    client.send('3\r\ndef\r\n0\r\n\r\n');
    expect((await readMessage(client)).body).toBe('good abcdef');
  });

  it('is not sent again once an informational response reached the client', async () => {
    await start([
      async (connection) => {
        await readMessage(connection);
        connection.socket.end('HTTP/1.1 103 Early Hints\r\n\r\n');
      },
      good,
    ]);
    const client = harness.connect();
    client.send(request('GET'));
    expect(statusOf(await readMessage(client, true))).toBe(103);
    expect(statusOf(await readMessage(client))).toBe(502);
    expect(harness.table.begun).toBe(1);
  });

  it('goes to another one after a malformed response', async () => {
    await start([answering(() => 'garbage\r\n\r\n'), good]);
    expect((await send(request('GET'))).status).toBe(200);
    expect(harness.table.outcomes).toEqual(['bad_response', 'ok']);
  });

  it('is not sent again after an error that the backend answered', async () => {
    await start([answering(() => 'HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n'), good]);
    expect((await send(request('GET'))).status).toBe(500);
    expect(harness.table.outcomes).toEqual(['server_error']);
  });
});

describe('a kept connection that was closed just as it is used', () => {
  it('costs an idempotent request no attempt and the backend no blame', async () => {
    await start([fickle], { retry: { attempts: 0, budgetRatio: 0 } });
    const client = harness.connect();
    for (let n = 0; n < 4; n++) {
      client.send(request('GET'));
      expect((await readMessage(client)).body).toBe('first');
    }
    expect(harness.table.outcomes).toEqual(['ok', 'ok', 'ok', 'ok']);
    expect(harness.lane.counts.retries).toBe(0);
  });

  it('is the end of a POST, which may have been carried out', async () => {
    await start([fickle]);
    const client = harness.connect();
    client.send(request('POST', 'a'));
    expect((await readMessage(client)).body).toBe('first');
    client.send(request('POST', 'b'));
    expect(statusOf(await readMessage(client))).toBe(502);
    expect(harness.backends[0]!.requests).toHaveLength(2);
    expect(harness.table.outcomes).toEqual(['ok', 'backend_closed']);
  });
});
