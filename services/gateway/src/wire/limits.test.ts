import { afterEach, describe, expect, it } from 'vitest';
import { Harness, type HarnessOptions } from './testing/harness.ts';
import { answering, type BackendBehaviour, ok } from './testing/raw-backend.ts';
import { readMessage, statusOf, until } from './testing/raw-socket.ts';

let harness: Harness;

async function start(behaviours: readonly BackendBehaviour[], options: HarnessOptions): Promise<Harness> {
  harness = await Harness.start(behaviours, options);
  return harness;
}

afterEach(() => harness.stop());

const echoBody = answering((request) => ok(request.body));
const post = (body: string): string =>
  `POST / HTTP/1.1\r\nHost: any\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

function chunked(body: string, size: number): string {
  let out = '';
  for (let at = 0; at < body.length; at += size) {
    const part = body.slice(at, at + size);
    out += `${part.length.toString(16)}\r\n${part}\r\n`;
  }
  return `${out}0\r\n\r\n`;
}

describe('a limit', () => {
  const LIMITS = { limits: { requestBodyBytes: 1000, headerBytes: 2048, headerCount: 10 } };

  async function refused(request: string): Promise<number> {
    await start([echoBody], LIMITS);
    const client = harness.connect();
    client.send(request);
    const { headers, firstLine } = await readMessage(client);
    expect(headers['content-type']).toBe('application/problem+json');
    expect(headers['connection']).toBe('close');
    await until(() => client.ended, 'closed');
    expect(client.error).toBeUndefined();
    return Number(firstLine.split(' ')[1]);
  }

  it('on a body with a length is enforced before a backend hears of it', async () => {
    expect(await refused(post('x'.repeat(1001)))).toBe(413);
    expect(harness.table.begun).toBe(0);
  });

  it('on a body in chunks is enforced while it passes', async () => {
    const head = 'POST / HTTP/1.1\r\nHost: any\r\nTransfer-Encoding: chunked\r\n\r\n';
    expect(await refused(head + chunked('x'.repeat(1001), 1001))).toBe(413);
    await harness.stop();
    await start([echoBody], LIMITS);
    const client = harness.connect();
    client.send(head);
    await until(() => harness.table.begun === 1, 'attempt begun');
    for (let n = 0; n < 11; n++) client.send(`64\r\n${'x'.repeat(100)}\r\n`);
    expect(statusOf(await readMessage(client))).toBe(413);
    await harness.settled();
    expect(harness.table.outcomes).toEqual(['client_closed']);
  });

  it('admits what just fits', async () => {
    await start([echoBody], LIMITS);
    const client = harness.connect();
    client.send(post('x'.repeat(1000)));
    expect((await readMessage(client)).body).toHaveLength(1000);
    client.send(
      `POST / HTTP/1.1\r\nHost: any\r\nTransfer-Encoding: chunked\r\n\r\n${chunked('x'.repeat(1000), 9)}`,
    );
    expect((await readMessage(client)).body).toHaveLength(1000);
  });

  it('on the head is enforced on its bytes and on its lines', async () => {
    expect(await refused(`GET / HTTP/1.1\r\nHost: any\r\nX: ${'x'.repeat(3000)}\r\n\r\n`)).toBe(431);
    await harness.stop();
    expect(await refused(`GET /${'x'.repeat(5000)}`)).toBe(431);
    await harness.stop();
    expect(await refused(`GET / HTTP/1.1\r\nHost: any\r\n${'A: b\r\n'.repeat(10)}\r\n`)).toBe(431);
  });

  it('on connections answers 503 and closes', async () => {
    await start([echoBody], { limits: { connections: 4 }, workers: 2 });
    const clients = [harness.connect(), harness.connect()];
    for (const client of clients) {
      client.send(post('here'));
      expect((await readMessage(client)).body).toBe('here');
    }
    const third = harness.connect();
    const { firstLine, headers } = await readMessage(third);
    expect(firstLine).toBe('HTTP/1.1 503 Service Unavailable');
    expect(headers).toMatchObject({ connection: 'close', 'retry-after': '1' });
    await until(() => third.ended, 'closed');
    clients[0]!.socket.end();
    await until(() => harness.lane.counts.connectionsOpen === 1, 'one gone');
    const fourth = harness.connect();
    fourth.send(post('in'));
    expect((await readMessage(fourth)).body).toBe('in');
  });
});

describe('a connection', () => {
  const request = 'GET / HTTP/1.1\r\nHost: any\r\n\r\n';

  it('is closed with the last request that it may serve, whatever is sent after that', async () => {
    await start([echoBody], { limits: { requestsPerConnection: 3 } });
    const client = harness.connect();
    client.send(request);
    expect((await readMessage(client)).headers).not.toHaveProperty('connection');
    client.send(request.repeat(3));
    expect((await readMessage(client)).headers).not.toHaveProperty('connection');
    expect((await readMessage(client)).headers['connection']).toBe('close');
    await until(() => client.ended, 'closed');
    expect(client.text).toBe('');
    expect(client.error).toBeUndefined();
    expect(harness.table.begun).toBe(3);
  });

  it('above the number that a client may have is refused, until another of it has gone', async () => {
    await start([echoBody], { limits: { connectionsPerIp: 2 } });
    const [first, second, third] = [harness.connect(), harness.connect(), harness.connect()];
    const refused = await readMessage(third);
    expect(statusOf(refused)).toBe(429);
    expect(refused.headers).toMatchObject({ connection: 'close', 'retry-after': '1' });
    await until(() => third.ended, 'closed');
    expect(harness.lane.counts.connectionsRefused).toBe(1);
    third.socket.destroy();
    first.socket.destroy();
    await until(() => harness.lane.counts.connectionsOpen === 1, 'gone');
    for (const client of [second, harness.connect()]) {
      client.send(request);
      expect(statusOf(await readMessage(client))).toBe(200);
    }
  });

  it('counts for its client also when the plugin lane serves it', async () => {
    await start([echoBody], { limits: { connectionsPerIp: 1 } });
    harness.connect().send('GET /plugin/x HTTP/1.1\r\nHost: any\r\n\r\n');
    await until(() => harness.handedOver.length === 1, 'handed over');
    expect(statusOf(await readMessage(harness.connect()))).toBe(429);
    await until(() => harness.lane.counts.connectionsOpen === 0, 'refused one is gone');
    const { socket } = harness.handedOver[0]!;
    const gone = new Promise((resolve) => socket.once('close', resolve));
    socket.destroy();
    await gone;
    const next = harness.connect();
    next.send(request);
    expect(statusOf(await readMessage(next))).toBe(200);
  });
});
