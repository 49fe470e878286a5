import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { Harness, type HarnessOptions } from './testing/harness.ts';
import { answering, type BackendBehaviour, ok } from './testing/raw-backend.ts';
import { readMessage, until, untilStill } from './testing/raw-socket.ts';

let harness: Harness;

async function start(behaviours: readonly BackendBehaviour[], options?: HarnessOptions): Promise<Harness> {
  harness = await Harness.start(behaviours, options);
  return harness;
}

afterEach(() => harness.stop());

const GET = 'GET / HTTP/1.1\r\nHost: any\r\n\r\n';
const echoBody = answering((request) => ok(request.body));

/** Bytes of every value, so that any change of encoding would show. */
function bytesOf(length: number, seed = 7): string {
  const bytes = Buffer.alloc(length);
  let state = seed;
  for (let at = 0; at < length; at++) {
    state = (state * 1_103_515_245 + 12_345) & 0x7fffffff;
    bytes[at] = state >> 16;
  }
  return bytes.toString('latin1');
}

function chunked(body: string, size: number): string {
  let out = '';
  for (let at = 0; at < body.length; at += size) {
    const part = body.slice(at, at + size);
    out += `${part.length.toString(16)};at=${at}\r\n${part}\r\n`;
  }
  return `${out}0\r\nX-Trailer: t\r\n\r\n`;
}

const post = (body: string, fields = ''): string =>
  `POST / HTTP/1.1\r\nHost: any\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`;

const SIZES = [0, 1, 100, 8191, 8192, 8193, 65_535, 65_536, 65_537, 300_000, 2_000_000];

describe.each([
  ['read into buffers of ours', {}],
  ['read as a stream', { asStreams: true }],
  ['read over TLS', { tls: true }],
])('a body %s', (_, mode) => {
  it.each(SIZES)('of %d bytes reaches the backend and comes back unchanged', async (size) => {
    await start([echoBody], mode);
    const client = harness.connect();
    const body = bytesOf(size);
    for (let n = 0; n < 2; n++) {
      client.send(post(body));
      const response = await readMessage(client);
      expect(response.body === body).toBe(true);
    }
    expect(harness.backends[0]!.connections).toHaveLength(1);
  });

  it.each(SIZES.slice(1))('of %d bytes in chunks passes through with its framing unchanged', async (size) => {
    const body = bytesOf(size);
    const coded = chunked(body, Math.max(1, size >> 3));
    await start([answering(() => `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${coded}`)], mode);
    const client = harness.connect();
    for (let n = 0; n < 2; n++) {
      client.send(`POST / HTTP/1.1\r\nHost: any\r\nTransfer-Encoding: chunked\r\n\r\n${coded}`);
      await client.takeThrough('\r\n\r\n');
      expect((await client.take(coded.length)) === coded).toBe(true);
    }
    const { requests, connections } = harness.backends[0]!;
    expect(requests.map((request) => request.body === body)).toEqual([true, true]);
    expect(connections).toHaveLength(1);
  });

  it('may arrive byte by byte in both directions', async () => {
    const response =
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n';
    await start(
      [
        async (connection) => {
          for (;;) {
            const request = await readMessage(connection);
            expect(request.body).toBe('hello');
            await connection.sendSlowly(response);
          }
        },
      ],
      mode,
    );
    const client = harness.connect();
    for (const request of [
      post('hello'),
      'POST / HTTP/1.1\r\nHost: any\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n',
    ]) {
      await client.sendSlowly(request);
      expect((await readMessage(client)).body).toBe('abc0123456789');
    }
    expect(harness.backends[0]!.connections).toHaveLength(1);
  });

  it('of any size in any pieces comes back as it was', async () => {
    await start([echoBody], mode);
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 40_000 }),
        fc.integer({ min: 1, max: 60 }),
        fc.boolean(),
        async (size, pieces, inChunks) => {
          const step = Math.ceil((size + 1) / pieces);
          const client = harness.connect();
          const body = bytesOf(size, step);
          const request = inChunks
            ? `PUT / HTTP/1.1\r\nHost: any\r\nTransfer-Encoding: chunked\r\n\r\n${chunked(body, step)}`
            : post(body);
          await client.sendSlowly(request, step);
          expect((await readMessage(client)).body === body).toBe(true);
          client.socket.destroy();
        },
      ),
      { numRuns: 25 },
    );
  });

  it('is read from the backend no faster than the client takes it', async () => {
    const size = 40_000_000;
    await start(
      [
        answering((_, connection) => {
          connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
          connection.socket.write(Buffer.alloc(size, 'x'));
          return '';
        }),
      ],
      mode,
    );
    const client = harness.connect();
    client.socket.pause();
    client.send(GET);
    await until(() => harness.counters.bytesOut > 0, 'response begun');
    await untilStill(() => harness.counters.bytesOut);
    expect(harness.counters.bytesOut).toBeLessThan(size / 2);
    client.socket.resume();
    await until(() => client.received > size, 'all received');
    await harness.settled();
    expect(harness.table.outcomes).toEqual(['ok']);
  });

  it('is read from the client no faster than the backend takes it', async () => {
    const size = 40_000_000;
    const gate = Promise.withResolvers<void>();
    await start(
      [
        async (connection) => {
          connection.socket.pause();
          await gate.promise;
          connection.socket.resume();
          await until(() => connection.received > size, 'all received');
          connection.send(ok('done'));
        },
      ],
      { ...mode, limits: { requestBodyBytes: 0 } },
    );
    const client = harness.connect();
    client.send(`POST / HTTP/1.1\r\nHost: any\r\nContent-Length: ${size}\r\n\r\n`);
    client.socket.write(Buffer.alloc(size, 'x'));
    await untilStill(() => harness.counters.bytesIn);
    expect(harness.counters.bytesIn).toBeLessThan(size / 2);
    gate.resolve();
    expect((await readMessage(client)).body).toBe('done');
  });

  it('that is announced with an expectation is sent when the backend says so', async () => {
    await start(
      [
        async (connection) => {
          const head = await connection.takeThrough('\r\n\r\n');
          expect(head).toContain('Expect: 100-continue\r\n');
          expect(connection.text).toBe('');
          connection.send('HTTP/1.1 100 Continue\r\n\r\n');
          connection.send(ok(await connection.take(5)));
        },
      ],
      mode,
    );
    const client = harness.connect();
    client.send('POST / HTTP/1.1\r\nHost: any\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n');
    expect((await readMessage(client, true)).firstLine).toBe('HTTP/1.1 100 Continue');
    client.send('hello');
    const { headers, body } = await readMessage(client);
    expect(body).toBe('hello');
    expect(headers).not.toHaveProperty('connection');
  });

  it('that is refused before it was sent costs the connection, not the answer', async () => {
    await start(
      [
        async (connection) => {
          await connection.takeThrough('\r\n\r\n');
          connection.send('HTTP/1.1 417 No\r\nContent-Length: 2\r\n\r\nno');
        },
      ],
      mode,
    );
    const client = harness.connect();
    client.send('POST / HTTP/1.1\r\nHost: any\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n');
    const { firstLine, headers, body } = await readMessage(client);
    expect([firstLine, headers['connection'], body]).toEqual(['HTTP/1.1 417 No', 'close', 'no']);
    await until(() => client.ended, 'closed');
    expect(harness.table.outcomes).toEqual(['ok']);
  });

  it('still under way when the answer comes does not keep the client from reading it', async () => {
    await start(
      [
        async (connection) => {
          await connection.takeThrough('\r\n\r\n');
          connection.send(ok('enough'));
        },
      ],
      mode,
    );
    const client = harness.connect();
    client.send('POST / HTTP/1.1\r\nHost: any\r\nContent-Length: 5000000\r\n\r\n');
    client.send('x'.repeat(1_000_000));
    const { headers, body } = await readMessage(client);
    expect([headers['connection'], body]).toEqual(['close', 'enough']);
    client.send('x'.repeat(1_000_000));
    await until(() => client.ended, 'closed');
    expect(client.error).toBeUndefined();
  });

  it('can be answered while it is still being sent', async () => {
    await start(
      [
        async (connection) => {
          await connection.takeThrough('\r\n\r\n');
          connection.send('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n');
          for (let n = 0; n < 6; n++) connection.send((await connection.take(1)).toUpperCase());
        },
      ],
      mode,
    );
    const client = harness.connect();
    client.send('POST / HTTP/1.1\r\nHost: any\r\nContent-Length: 6\r\n\r\n');
    await client.takeThrough('\r\n\r\n');
    for (const letter of 'abcdef') {
      client.send(letter);
      expect(await client.take(1)).toBe(letter.toUpperCase());
    }
    await client.untilClosed();
    expect(harness.table.outcomes).toEqual(['ok']);
  });
});
