import { afterEach, describe, expect, it } from 'vitest';
import { Harness } from './testing/harness.ts';
import { answering, type BackendBehaviour, ok } from './testing/raw-backend.ts';
import { readMessage, until } from './testing/raw-socket.ts';

let harness: Harness;

afterEach(() => harness.stop());

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: any\r\n\r\n`;
const EVENTS = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n';
/** Leaves everything after the request to the test. */
const silent: BackendBehaviour = async (connection, backend) => {
  backend.requests.push(await readMessage(connection));
};
const arrived = (): Promise<void> =>
  until(() => harness.backends[0]!.requests.length === 1, 'request arrived');

describe('an event stream', () => {
  it.each([
    [
      'in chunks',
      `${EVENTS}Transfer-Encoding: chunked\r\n\r\n`,
      (event: string) => `${event.length.toString(16)}\r\n${event}\r\n`,
    ],
    ['up to the end of the connection', `${EVENTS}\r\n`, (event: string) => event],
    ['of a known length', `${EVENTS}Content-Length: 1000000\r\n\r\n`, (event: string) => event],
  ])('%s passes every event on before the next one is there', async (_, head, framed) => {
    harness = await Harness.start([silent]);
    const client = harness.connect();
    client.send(get('/events'));
    await arrived();
    const [behind] = harness.backends[0]!.connections;
    behind!.send(head);
    await client.takeThrough('\r\n\r\n');
    for (let n = 0; n < 5; n++) {
      const event = framed(`data: ${n}${'.'.repeat(n * 3000)}\n\n`);
      behind!.send(event);
      expect(await client.take(event.length)).toBe(event);
      // Silence between events is no reason to end a stream.
      harness.advance(600_000);
    }
    expect(client.closed).toBe(false);
  });

  it('that its client leaves ends at the backend at once, and is nobody’s failure', async () => {
    harness = await Harness.start([silent]);
    const client = harness.connect();
    client.send(get('/events'));
    await arrived();
    const [behind] = harness.backends[0]!.connections;
    behind!.send(`${EVENTS}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`);
    await client.takeThrough('abc');
    client.socket.destroy();
    await until(() => behind!.closed, 'the backend knows');
    expect(harness.table.outcomes).toEqual(['client_closed']);
    expect(harness.counters).toMatchObject({ clientAborts: 1, brokenResponses: 0 });
  });
});

describe('a long poll', () => {
  it('is answered when there is something to say, on a connection that goes on', async () => {
    const gate = Promise.withResolvers<string>();
    harness = await Harness.start([
      answering(({ firstLine }) => (firstLine.includes('/poll') ? gate.promise : ok('next'))),
    ]);
    const client = harness.connect();
    client.send(get('/poll') + get('/next'));
    await until(() => harness.table.begun === 1, 'waiting');
    harness.advance(29_000);
    gate.resolve(ok('news'));
    expect((await readMessage(client)).body).toBe('news');
    expect((await readMessage(client)).body).toBe('next');
  });

  it('that its client leaves ends at the backend at once', async () => {
    harness = await Harness.start([silent]);
    const client = harness.connect();
    client.send(get('/poll'));
    await arrived();
    client.socket.destroy();
    await until(() => harness.backends[0]!.open === 0, 'the backend knows');
    expect(harness.table.outcomes).toEqual(['client_closed']);
  });
});

describe('a request and its response', () => {
  it('flow at the same time, piece by piece', async () => {
    harness = await Harness.start([
      async (connection) => {
        await connection.takeThrough('\r\n\r\n');
        connection.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
        for (;;) connection.send(await connection.takeThrough('!\r\n'));
      },
    ]);
    const client = harness.connect();
    client.send('POST / HTTP/1.1\r\nHost: any\r\nTransfer-Encoding: chunked\r\n\r\n');
    await client.takeThrough('\r\n\r\n');
    for (let n = 0; n < 5; n++) {
      client.send(`3\r\n${n}.!\r\n`);
      expect(await client.takeThrough('!\r\n')).toBe(`3\r\n${n}.!\r\n`);
      harness.advance(600_000);
    }
  });
});
