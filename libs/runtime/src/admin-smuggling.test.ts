import { once } from 'node:events';
import { connect } from 'node:net';
import { RecordingLog } from '@usher/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startAdminServer } from './admin-server.ts';
import { systemClock } from './clock.ts';
import type { RunningServer } from './metrics-server.ts';
import { systemRandom } from './random.ts';

const HEAD = 'host: localhost\r\nx-api-key: a-token-of-ours\r\ncontent-type: application/json';
const MEBIBYTE = 1024 * 1024;

let server: RunningServer;
const done: string[] = [];
beforeAll(async () => {
  server = await startAdminServer({
    host: '127.0.0.1',
    port: 0,
    tokens: [{ name: 'ops', secret: 'a-token-of-ours', role: 'admin' }],
    allow: ['127.0.0.0/8'],
    clock: systemClock(),
    log: new RecordingLog(),
    random: systemRandom(),
    health: () => ({ status: 'ok', services: [] }),
    register: (app) => {
      for (const path of ['/outer', '/smuggled'])
        app.post(path, { config: { role: 'admin' } }, ({ body }) => {
          done.push(path);
          return { got: body ?? null };
        });
    },
  });
});
afterAll(async () => await server.close());
beforeEach(() => {
  done.length = 0;
});

/** Everything that comes back until the server closes, which it does when it is asked to or does not understand. */
async function exchange(...writes: readonly string[]): Promise<string> {
  const socket = connect(server.port, '127.0.0.1');
  let text = '';
  socket.on('data', (chunk) => {
    text += String(chunk);
  });
  socket.once('error', () => {});
  for (const write of writes) socket.write(write, 'latin1');
  await once(socket, 'close');
  return text;
}

const statuses = (text: string): string[] =>
  [...text.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, code]) => code!);

/** With the token that a proxy in front would have added to what it forwards: nothing but the framing protects here. */
const SMUGGLED = `POST /smuggled HTTP/1.1\r\n${HEAD}\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}`;
const CHUNKED = `0\r\n\r\n${SMUGGLED}`;

test('a request that is framed once is understood, and so is what follows it', async () => {
  const outer = `POST /outer HTTP/1.1\r\n${HEAD}\r\ncontent-length: 2\r\n\r\n{}`;
  expect(statuses(await exchange(outer + SMUGGLED))).toEqual(['200', '200']);
  expect(done).toEqual(['/outer', '/smuggled']);
});

test.each([
  ['a length and chunks', `content-length: 0\r\ntransfer-encoding: chunked\r\n\r\n${CHUNKED}`],
  ['chunks and a length', `transfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n${CHUNKED}`],
  ['two lengths', `content-length: 0\r\ncontent-length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`],
  ['a list of lengths', `content-length: 0, ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`],
  ['a length with a sign', `content-length: +0\r\n\r\n${SMUGGLED}`],
  ['a length in hexadecimal', `content-length: 0x0\r\n\r\n${SMUGGLED}`],
  ['a negative length', `content-length: -1\r\n\r\n${SMUGGLED}`],
  ['a length that is too large to count', `content-length: 18446744073709551616\r\n\r\n${SMUGGLED}`],
  ['a space before the colon', `content-length : 0\r\n\r\n${SMUGGLED}`],
  ['a tab before the colon', `transfer-encoding\t: chunked\r\n\r\n${CHUNKED}`],
  ['another coding at the end', `transfer-encoding: chunked, identity\r\n\r\n${CHUNKED}`],
  ['a coding that nobody knows', `transfer-encoding: xchunked\r\n\r\n${CHUNKED}`],
  ['chunked twice', `transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n${CHUNKED}`],
  ['a quoted coding', `transfer-encoding: "chunked"\r\n\r\n${CHUNKED}`],
  ['a folded line', `transfer-encoding:\r\n chunked\r\ncontent-length: 0\r\n\r\n${CHUNKED}`],
  ['a bare line feed between lines', `x: y\ncontent-length: 0\r\n\r\n${SMUGGLED}`],
  ['a bare carriage return in a line', `x: y\rcontent-length: 0\r\n\r\n${SMUGGLED}`],
  ['a zero byte in a name', `content\0-length: 0\r\n\r\n${SMUGGLED}`],
  ['a size of a chunk with a sign', `transfer-encoding: chunked\r\n\r\n+0\r\n\r\n${SMUGGLED}`],
  ['a size of a chunk in 0x', `transfer-encoding: chunked\r\n\r\n0x0\r\n\r\n${SMUGGLED}`],
  ['chunks that end in a bare line feed', `transfer-encoding: chunked\r\n\r\n0\n\n${SMUGGLED}`],
  ['a chunk that is longer than it says', `transfer-encoding: chunked\r\n\r\n1\r\n{}\r\n${CHUNKED}`],
  ['a line without a name', `: chunked\r\n\r\n${SMUGGLED}`],
])('with %s, nothing is done, and nothing after it', async (_what, rest) => {
  const answers = statuses(await exchange(`POST /outer HTTP/1.1\r\n${HEAD}\r\n${rest}`));
  expect(done).toEqual([]);
  for (const status of answers) expect(status).toMatch(/^4/);
  expect(answers.length).toBeLessThanOrEqual(1);
});

test.each([
  ['two hosts', 'GET /v1/health HTTP/1.1\r\nhost: a\r\nhost: b\r\nconnection: close\r\n\r\n'],
  [
    'a token and another',
    `POST /smuggled HTTP/1.1\r\n${HEAD}\r\nauthorization: Bearer a\r\nauthorization: Bearer b\r\nconnection: close\r\n\r\n`,
  ],
  ['no host', 'GET /v1/health HTTP/1.1\r\nconnection: close\r\n\r\n'],
  ['a version of two digits', `POST /smuggled HTTP/1.10\r\n${HEAD}\r\n\r\n`],
  ['a method that there is not', `POSTX /smuggled HTTP/1.1\r\n${HEAD}\r\n\r\n`],
  ['a space in the target', `POST /smuggled /x HTTP/1.1\r\n${HEAD}\r\nconnection: close\r\n\r\n`],
  ['an upgrade to HTTP/2 by itself', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
])('%s is refused', async (_what, request) => {
  for (const status of statuses(await exchange(request))) expect(status).toMatch(/^4/);
  expect(done).toEqual([]);
});

test('a command with two ids is refused, and told why', async () => {
  const ids = 'Idempotency-Key: a\r\nidempotency-key: b\r\nconnection: close';
  const answer = await exchange(`POST /smuggled HTTP/1.1\r\n${HEAD}\r\n${ids}\r\n\r\n`);
  expect(statuses(answer)).toEqual(['400']);
  expect(answer).toContain('content-type: application/problem+json');
  expect(answer).toContain('"detail":"idempotency-key is given more than once"');
  expect(done).toEqual([]);
});

test('what is sent after a wish to close, or as a body of what takes none, is not a request', async () => {
  const closing = `POST /outer HTTP/1.1\r\n${HEAD}\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}`;
  expect(statuses(await exchange(closing + SMUGGLED))).toHaveLength(1);
  const withBody = `GET /v1/health HTTP/1.1\r\n${HEAD}\r\nconnection: close\r\ncontent-length: ${SMUGGLED.length}\r\n\r\n`;
  await exchange(withBody + SMUGGLED);
  expect(done).toEqual(['/outer']);
});

test('an upgrade is not taken, and what follows it is no request of somebody else', async () => {
  const upgrade = `POST /outer HTTP/1.1\r\n${HEAD}\r\nconnection: upgrade\r\nupgrade: websocket\r\ncontent-length: ${SMUGGLED.length}\r\n\r\n`;
  const answers = statuses(
    await exchange(`${upgrade}${SMUGGLED}`.replace('connection: upgrade', 'connection: upgrade, close')),
  );
  expect(done).not.toContain('/smuggled');
  for (const status of answers) expect(status).toMatch(/^4/);
});

test('a body of a megabyte is refused by its length, and by chunks as soon as it is too long', async () => {
  const body = `"${'x'.repeat(MEBIBYTE)}"`;
  const head = `POST /outer HTTP/1.1\r\n${HEAD}\r\nconnection: close\r\n`;
  expect(statuses(await exchange(`${head}content-length: ${body.length}\r\n\r\n`, body))).toEqual(['413']);
  const chunk = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
  expect(statuses(await exchange(`${head}transfer-encoding: chunked\r\n\r\n`, chunk))).toEqual(['413']);
  const unknown = head.replace('a-token-of-ours', 'guess');
  expect(statuses(await exchange(`${unknown}content-length: ${body.length}\r\n\r\n`, body))).toEqual(['401']);
  expect(done).toEqual([]);
});

test('a head that is too large is refused, and so are too many lines', async () => {
  const long = `GET /v1/health HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${'x'.repeat(20_000)}\r\n\r\n`;
  expect(statuses(await exchange(long))).toEqual(['431']);
  const many = `GET /v1/health HTTP/1.1\r\nhost: a\r\n${'a: b\r\n'.repeat(5000)}\r\n`;
  expect(statuses(await exchange(many))).toEqual(['431']);
});
