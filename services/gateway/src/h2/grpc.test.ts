import { constants } from 'node:http2';
import {
  type CallOptions,
  type Client as GrpcClient,
  type handleUnaryCall,
  Metadata,
  type Server,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { Harness, type HarnessOptions } from '../wire/testing/harness.ts';
import { until } from '../wire/testing/raw-socket.ts';
import { grpcCall } from './grpc.ts';
import { Backend, type Request } from './testing/backend.ts';
import { Client } from './testing/client.ts';
import { ECHO, type EchoHandlers, startClient, startServer } from './testing/grpc.ts';

let harness: Harness;
let client: GrpcClient;
const servers: Server[] = [];

const echo: EchoHandlers = {
  unary(call, done) {
    const trailer = new Metadata();
    trailer.set('x-trailer', 'end');
    const head = new Metadata();
    head.set('x-head', String(call.metadata.get('x-sent')[0] ?? 'none'));
    call.sendMetadata(head);
    done(null, call.request, trailer);
  },
  collect(call, done) {
    const parts: Buffer[] = [];
    call.on('data', (part: Buffer) => parts.push(part));
    call.on('end', () => done(null, Buffer.concat(parts)));
  },
  expand(call) {
    for (const byte of call.request) call.write(Buffer.from([byte]));
    call.end();
  },
  both(call) {
    call.on('data', (part: Buffer) => call.write(Buffer.concat([Buffer.from('<'), part, Buffer.from('>')])));
    call.on('end', () => call.end());
  },
};

async function start(
  handlers: readonly Partial<EchoHandlers>[],
  options: HarnessOptions = {},
): Promise<void> {
  const urls: string[] = [];
  for (const some of handlers) {
    const { server, port } = await startServer({ ...echo, ...some });
    servers.push(server);
    urls.push(`http://127.0.0.1:${port}`);
  }
  harness = await Harness.start([], { urls, toHttp2: true, ...options });
  client = startClient(harness.port);
}

afterEach(async () => {
  client.close();
  for (const server of servers.splice(0)) server.forceShutdown();
  await harness.stop();
});

interface Outcome {
  readonly error: ServiceError | null;
  readonly value: string | undefined;
}

function unary(text: string, options: CallOptions = {}, metadata = new Metadata()): Promise<Outcome> {
  const { path, requestSerialize, responseDeserialize } = ECHO.unary;
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      Buffer.from(text),
      metadata,
      options,
      (error, value) => resolve({ error, value: value?.toString() }),
    );
  });
}

function bidirectional(options: CallOptions = {}) {
  const { path, requestSerialize, responseDeserialize } = ECHO.both;
  const call = client.makeBidiStreamRequest(
    path,
    requestSerialize,
    responseDeserialize,
    new Metadata(),
    options,
  );
  const seen = { text: '', code: -1 };
  call.on('data', (part: Buffer) => (seen.text += part.toString()));
  call.on('error', () => {});
  call.on('status', ({ code }) => (seen.code = code));
  return Object.assign(seen, { call });
}

test('a unary call passes with its metadata and trailers', async () => {
  await start([{}]);
  const { path, requestSerialize, responseDeserialize } = ECHO.unary;
  const metadata = new Metadata();
  metadata.set('x-sent', 'yes');
  metadata.set('x-raw-bin', Buffer.from([0, 255]));
  let head: Metadata | undefined;
  let trailer: Metadata | undefined;
  const value = await new Promise<string>((resolve, reject) => {
    const call = client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      Buffer.from('hi'),
      metadata,
      (error, answer) => (error === null ? resolve(String(answer)) : reject(error)),
    );
    call.on('metadata', (got: Metadata) => (head = got));
    call.on('status', (got) => (trailer = got.metadata));
  });
  await until(() => trailer !== undefined, 'status');
  expect(value).toBe('hi');
  expect(head?.get('x-head')).toEqual(['yes']);
  expect(trailer?.get('x-trailer')).toEqual(['end']);
});

const failing: handleUnaryCall<Buffer, Buffer> = (_call, done) =>
  done({ code: status.FAILED_PRECONDITION, details: 'not now' });

test('a call that fails has the status that its server gave it', async () => {
  await start([{ unary: failing }]);
  const { error } = await unary('a');
  expect(error).toMatchObject({ code: status.FAILED_PRECONDITION, details: 'not now' });
});

test('a client may stream', async () => {
  await start([{}]);
  const { path, requestSerialize, responseDeserialize } = ECHO.collect;
  const value = await new Promise<Buffer | undefined>((resolve, reject) => {
    const call = client.makeClientStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      (error, answer) => (error === null ? resolve(answer) : reject(error)),
    );
    for (let i = 0; i < 100; i++) call.write(Buffer.alloc(1000, i));
    call.end();
  });
  expect(value?.length).toBe(100_000);
  expect(value?.[99_999]).toBe(99);
});

test('a server may stream', async () => {
  await start([{}]);
  const { path, requestSerialize, responseDeserialize } = ECHO.expand;
  const call = client.makeServerStreamRequest(
    path,
    requestSerialize,
    responseDeserialize,
    Buffer.from('abc'),
  );
  const parts: string[] = [];
  for await (const part of call) parts.push(String(part));
  expect(parts).toEqual(['a', 'b', 'c']);
});

test('both may stream at the same time', async () => {
  await start([{}]);
  const talk = bidirectional();
  for (const part of ['a', 'b', 'c']) {
    talk.call.write(Buffer.from(part));
    await until(() => talk.text.endsWith(`<${part}>`), part);
  }
  talk.call.end();
  await until(() => talk.code >= 0, 'end');
  expect(talk.code).toBe(status.OK);
  expect(talk.text).toBe('<a><b><c>');
});

test('a call that is cancelled ends at its server', async () => {
  let cancelled = false;
  await start([{ both: (call) => void call.on('cancelled', () => (cancelled = true)) }]);
  const talk = bidirectional();
  talk.call.write(Buffer.from('a'));
  await until(() => harness.inFlight === 1, 'on its way');
  talk.call.cancel();
  await until(() => cancelled, 'cancelled');
  expect(talk.code).toBe(status.CANCELLED);
});

/** A call whose client knows nothing of gRPC. */
async function raw(path: string, headers: Record<string, string> = {}) {
  const plain = await new Client(`http://127.0.0.1:${harness.port}`).connected();
  const call = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' };
  const asked = plain.begin({ ...call, ...headers });
  asked.stream.write(Buffer.from([0, 0, 0, 0, 1, 97]));
  return { asked, close: () => plain.close() };
}

/** A backend that leaves it to others to keep deadlines. */
async function careless(handle: (request: Request) => void): Promise<Backend> {
  const backend = await Backend.start(handle);
  onTestFinished(() => backend.stop());
  await start([], { urls: [backend.url] });
  return backend;
}

test('a deadline that passes before an answer is a status of its own, and not the failure of the backend', async () => {
  const backend = await careless(() => {});
  const { asked, close } = await raw(ECHO.unary.path, { 'grpc-timeout': '200m' });
  asked.stream.end();
  await asked.over();
  expect(asked).toMatchObject({ bare: true, headers: { ':status': 200, 'grpc-status': '4' } });
  await until(() => backend.resets.length === 1, 'cancelled');
  expect(backend.resets).toEqual([constants.NGHTTP2_CANCEL]);
  expect(backend.requests[0]!.headers['grpc-timeout']).toBe('200m');
  expect(harness.table.outcomes).toEqual(['client_closed']);
  close();
});

test('a deadline that passes within an answer ends it with trailers', async () => {
  const backend = await careless(({ stream }) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
    stream.write('part');
  });
  const { asked, close } = await raw(ECHO.both.path, { 'grpc-timeout': '300000u' });
  await until(() => asked.closed, 'over');
  expect(asked).toMatchObject({ body: 'part', trailers: { 'grpc-status': '4' }, code: 0 });
  await until(() => backend.resets.length === 1, 'cancelled');
  close();
});

test.each([
  ['a method that no route is for', {}, { ':authority': 'other' }, status.UNIMPLEMENTED],
  ['no backend', { urls: [] }, {}, status.UNAVAILABLE],
  ['a backend that is not there', { urls: ['http://127.0.0.1:1'] }, {}, status.UNAVAILABLE],
  [
    'a head that is too long',
    { limits: { headerBytes: 8192 } },
    { 'x-a': 'x'.repeat(9000) },
    status.RESOURCE_EXHAUSTED,
  ],
  ['a body that is too long', {}, { 'content-length': '999999999' }, status.RESOURCE_EXHAUSTED],
])('%s is told in the terms of gRPC', async (_what, options, headers, code) => {
  await start([{}], options);
  const { asked, close } = await raw('/test.Echo/Unary', headers);
  await asked.over();
  expect(asked).toMatchObject({
    bare: true,
    headers: { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': String(code) },
  });
  expect(asked.headers['grpc-message']).toMatch(/^[ -~]+$/);
  close();
});

test('a call to a server that has gone is made to another when it cannot have begun', async () => {
  await start([{}, {}]);
  expect(await unary('a')).toMatchObject({ value: 'a' });
  expect(await unary('b')).toMatchObject({ value: 'b' });
  servers[0]!.forceShutdown();
  for (const text of ['c', 'd', 'e']) expect(await unary(text)).toMatchObject({ value: text });
});

test('a call whose server dies while it works on it fails, and is not made again', async () => {
  let calls = 0;
  const dying: Partial<EchoHandlers> = {
    unary: () => {
      calls += 1;
      for (const server of servers) server.forceShutdown();
    },
  };
  await start([dying, dying]);
  expect((await unary('a')).error).toMatchObject({ code: status.UNAVAILABLE });
  expect(calls).toBe(1);
});

test('a stream whose server dies ends as unavailable', async () => {
  await start([{}]);
  const talk = bidirectional();
  talk.call.write(Buffer.from('a'));
  await until(() => talk.text === '<a>', 'an answer');
  servers[0]!.forceShutdown();
  await until(() => talk.code >= 0, 'end');
  expect(talk.code).toBe(status.UNAVAILABLE);
});

const patience = (timeout: string) => grpcCall('application/grpc+proto', timeout)?.patienceMs;

test('timeouts of gRPC have units, and other requests have none', () => {
  expect(['2H', '3M', '4S', '5m', '6000u', '7000000n'].map(patience)).toEqual([
    7_200_000, 180_000, 4000, 5, 6, 7,
  ]);
  expect(['', '5', '123456789S', '-1S', '1s'].map(patience)).toEqual(Array<number>(5).fill(Infinity));
  expect(grpcCall('application/json', '1S')).toBeUndefined();
  expect(grpcCall('application/grpcish', '1S')).toBeUndefined();
  expect(grpcCall('application/grpc-web+proto', '1S')).toEqual({ patienceMs: 1000, trails: false });
});
