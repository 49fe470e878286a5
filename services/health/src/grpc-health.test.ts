import { createServer, type ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { Server as GrpcServer, type handleUnaryCall, ServerCredentials, status } from '@grpc/grpc-js';
import { expect, onTestFinished, test } from 'vitest';
import { createNetworkProber } from './network-prober.ts';

const networkProber = createNetworkProber();

const never = new AbortController().signal;
const TIMEOUT_MS = 2000;

async function probe(port: number, service = '', timeoutMs = TIMEOUT_MS) {
  const target = { type: 'grpc', host: '127.0.0.1', port, authority: `127.0.0.1:${port}`, service } as const;
  return await networkProber.probe(target, timeoutMs, never);
}

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const bytes = (value: Buffer): Buffer => value;

/** A server whose services are in these states. */
async function serve(states: ReadonlyMap<string, number>): Promise<number> {
  const check: handleUnaryCall<Buffer, Buffer> = ({ request }, done) => {
    const name = request.length === 0 ? '' : request.subarray(request.length > 130 ? 3 : 2).toString();
    const state = states.get(name);
    if (state === undefined) done({ code: status.NOT_FOUND, details: 'unknown service' });
    else done(null, state === 0 ? Buffer.alloc(0) : Buffer.from([8, state]));
  };
  const server = new GrpcServer();
  server.addService(
    {
      check: {
        path: '/grpc.health.v1.Health/Check',
        requestStream: false,
        responseStream: false,
        requestSerialize: bytes,
        requestDeserialize: bytes,
        responseSerialize: bytes,
        responseDeserialize: bytes,
      },
    },
    { check },
  );
  onTestFinished(() => server.forceShutdown());
  return await new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
  });
}

test('a gRPC probe succeeds when the service serves', async () => {
  const long = 'a'.repeat(150);
  const port = await serve(
    new Map([
      ['', 1],
      ['shop.Orders', 1],
      [long, 1],
    ]),
  );
  for (const service of ['', 'shop.Orders', long])
    expect(await probe(port, service)).toMatchObject({ ok: true });
});

test.each([
  [0, 'the service is UNKNOWN'],
  [2, 'the service is NOT_SERVING'],
  [3, 'the service is SERVICE_UNKNOWN'],
  [9, 'the service is in state 9'],
])('a service in state %i fails its probe', async (state, cause) => {
  const port = await serve(new Map([['', state]]));
  expect(await probe(port)).toEqual({ ok: false, timedOut: false, cause });
});

test('a service that the server does not know fails its probe', async () => {
  const port = await serve(new Map());
  expect(await probe(port, 'none')).toMatchObject({ ok: false, cause: 'grpc-status 5, expected 0' });
});

async function raw(handle: (stream: ServerHttp2Stream) => void): Promise<number> {
  const server = createServer();
  server.on('stream', (stream: ServerHttp2Stream) => {
    stream.on('error', () => {});
    handle(stream);
  });
  return await listen(server);
}

test.each<[string, (stream: ServerHttp2Stream) => void, string]>([
  [
    'another status',
    (stream) => stream.respond({ ':status': 404 }, { endStream: true }),
    'status 404, expected 200',
  ],
  [
    'no trailers',
    (stream) => stream.respond({ ':status': 200 }, { endStream: true }),
    'closed without an answer',
  ],
  [
    'no message',
    (stream) => stream.respond({ 'grpc-status': '0' }, { endStream: true }),
    'the answer is not valid',
  ],
  ['a reset', (stream) => stream.close(2), 'closed without an answer'],
])('an answer that is %s is a failure', async (_what, handle, cause) => {
  expect(await probe(await raw(handle))).toEqual({ ok: false, timedOut: false, cause });
});

test('an endless answer is cut off', async () => {
  const port = await raw((stream) => {
    stream.respond({ ':status': 200 });
    stream.write(Buffer.alloc(5000));
  });
  expect(await probe(port)).toMatchObject({ ok: false, cause: 'the answer is too long' });
});

test('a server that does not speak HTTP/2, says nothing or is not there is a failure', async () => {
  const old = createTcpServer(
    (socket) => void socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
  );
  expect(await probe(await listen(old))).toMatchObject({ ok: false, timedOut: false });
  expect(await probe(await listen(createTcpServer()), '', 50)).toMatchObject({ ok: false, timedOut: true });
  expect(await probe(1)).toMatchObject({ ok: false, cause: 'connection refused' });
});
