import { afterEach, expect, test } from 'vitest';
import { Harness, type HarnessOptions } from '../wire/testing/harness.ts';
import { answering, ok } from '../wire/testing/raw-backend.ts';
import { type RawSocket, readMessage, until } from '../wire/testing/raw-socket.ts';

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const FRAME = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goaway: 7, continuation: 9 };
const END_STREAM = 1;
const END_HEADERS = 4;

/** `:method GET`, `:scheme http`, `:path /`, `:authority any`. */
const GET = '\x82\x86\x84\x01\x03any';

let harness: Harness;

async function start(options: HarnessOptions = {}): Promise<RawSocket> {
  harness = await Harness.start([answering(() => ok('x'))], options);
  return harness.connect();
}

afterEach(() => harness.stop());

function frame(type: number, flags: number, stream: number, payload = ''): string {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return head.toString('latin1') + payload;
}

/** The frames that came, as far as they are complete. */
function frames({
  text,
}: RawSocket): { readonly type: number; readonly stream: number; readonly payload: Buffer }[] {
  const bytes = Buffer.from(text, 'latin1');
  const found = [];
  for (let at = 0; at + 9 <= bytes.length; ) {
    const end = at + 9 + bytes.readUIntBE(at, 3);
    if (end > bytes.length) break;
    found.push({
      type: bytes[at + 3]!,
      stream: bytes.readUInt32BE(at + 5),
      payload: bytes.subarray(at + 9, end),
    });
    at = end;
  }
  return found;
}

/** The error code of the GOAWAY that ended the connection. */
function goaway(client: RawSocket): number | undefined {
  return frames(client)
    .findLast(({ type }) => type === FRAME.goaway)
    ?.payload.readUInt32BE(4);
}

test('the preface may come in pieces', async () => {
  const client = await start();
  await client.sendSlowly(
    PREFACE + frame(FRAME.settings, 0, 0) + frame(FRAME.headers, END_STREAM | END_HEADERS, 1, GET),
  );
  await until(
    () => frames(client).some(({ type, payload }) => type === FRAME.data && payload.toString() === 'x'),
    'answer',
  );
});

test.each(['PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n', 'PRI * HTTP/1.1\r\nhost: any\r\n\r\n'])(
  'what only begins like HTTP/2 is closed (%j)',
  async (bytes) => {
    const client = await start();
    client.send(bytes);
    await client.untilClosed();
    expect(harness.backends[0]!.connections).toHaveLength(0);
  },
);

test('a listener without HTTP/2 answers its preface with 505', async () => {
  const client = await start({ http2: false });
  client.send(PREFACE);
  expect((await readMessage(client)).firstLine).toContain(' 505 ');
});

test('a preface after a request is no preface', async () => {
  const client = await start();
  client.send(`GET / HTTP/1.1\r\nhost: any\r\n\r\n${PREFACE}`);
  expect((await readMessage(client)).firstLine).toContain(' 200 ');
  expect((await readMessage(client)).firstLine).toContain(' 505 ');
});

test("a client that resets streams as fast as it opens them is closed, and its requests are nobody's work", async () => {
  const client = await start();
  let bytes = PREFACE + frame(FRAME.settings, 0, 0);
  for (let stream = 1; stream < 2001; stream += 2) {
    bytes +=
      frame(FRAME.headers, END_STREAM | END_HEADERS, stream, GET) +
      frame(FRAME.reset, 0, stream, '\0\0\0\x08');
  }
  client.send(bytes);
  await client.untilClosed();
  expect(goaway(client)).toBeGreaterThan(0);
  expect(harness.backends[0]!.connections.length).toBeLessThan(10);
});

test('a head in endless pieces ends the connection', async () => {
  const client = await start();
  client.send(PREFACE + frame(FRAME.settings, 0, 0) + frame(FRAME.headers, END_STREAM, 1, GET));
  for (let i = 0; i < 100; i++) client.send(frame(FRAME.continuation, 0, 1, '\x00\x01a\x01b'));
  await client.untilClosed();
  expect(goaway(client)).not.toBe(0);
});

test.each([
  ['pings', frame(FRAME.ping, 0, 0, '12345678')],
  ['settings', frame(FRAME.settings, 0, 0)],
])('a client that floods with %s and reads nothing is closed', async (_what, flood) => {
  const client = await start();
  client.socket.pause();
  client.send(PREFACE + frame(FRAME.settings, 0, 0));
  const block = flood.repeat(2000);
  for (let i = 0; i < 5000 && harness.counters.connectionsOpen > 0; i++) {
    if (i === 0) await until(() => harness.counters.connectionsOpen === 1, 'accepted');
    if (!client.socket.write(block, 'latin1')) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await until(() => harness.counters.connectionsOpen === 0, 'closed');
});

test.each([
  ['a connection-specific field', '\x00\x0aconnection\x05close'],
  ['a transfer coding', '\x00\x11transfer-encoding\x07chunked'],
  ['a name in upper case', '\x00\x01A\x01b'],
])('a request with %s is reset', async (_what, field) => {
  const client = await start();
  client.send(
    PREFACE + frame(FRAME.settings, 0, 0) + frame(FRAME.headers, END_STREAM | END_HEADERS, 1, GET + field),
  );
  await until(() => frames(client).some(({ type, stream }) => type === FRAME.reset && stream === 1), 'reset');
  expect(harness.backends[0]!.connections).toHaveLength(0);
});

test.each(['/a b', '/a HTTP/1.1', '/a\tb', ''])(
  'a path that HTTP/1.1 could not carry (%j) reaches no backend',
  async (path) => {
    const client = await start();
    const head = `\x82\x86\x01\x03any\x04${String.fromCharCode(path.length)}${path}`;
    client.send(
      PREFACE + frame(FRAME.settings, 0, 0) + frame(FRAME.headers, END_STREAM | END_HEADERS, 1, head),
    );
    await until(() => frames(client).some(({ stream }) => stream === 1), 'answer');
    expect(harness.backends[0]!.connections).toHaveLength(0);
  },
);

test.each(['b\nc', 'b\r\nx: y', 'b\r\n\r\nGET / HTTP/1.1\r\n'])(
  'a value that would break a line (%j) goes no further',
  async (value) => {
    const client = await start();
    const field = `\x00\x01a${String.fromCharCode(value.length)}${value}`;
    client.send(
      PREFACE + frame(FRAME.settings, 0, 0) + frame(FRAME.headers, END_STREAM | END_HEADERS, 1, GET + field),
    );
    await until(() => frames(client).some(({ stream }) => stream === 1), 'answer');
    expect(harness.backends[0]!.requests.map(({ headers }) => Object.keys(headers))).toEqual([
      ['host', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-request-id'],
    ]);
  },
);
