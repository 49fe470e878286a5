import { createSecureServer, createServer, type ServerHttp2Stream } from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { emptyFleet, type HealthCheck, newBackend, noneCleared } from '@usher/domain';
import { makeCertificate } from '@usher/testing';
import { expect, onTestFinished, test } from 'vitest';
import { createNetworkProber } from './network-prober.ts';
import { probePlan } from './probe-plan.ts';
import { poolSettings, TCP_CHECK } from './test-fleet.ts';

const networkProber = createNetworkProber();
const never = new AbortController().signal;
const TIMEOUT_MS = 5000;

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

async function probe(port: number, changes: object = {}) {
  const authority = `127.0.0.1:${port}`;
  const place = { type: 'http', host: '127.0.0.1', port, authority, http2: true } as const;
  const asked = { path: '/healthz?deep=1', method: 'GET', headers: {}, expectStatus: [200] } as const;
  return await networkProber.probe({ ...place, ...asked, ...changes }, TIMEOUT_MS, never);
}

type Answer = (stream: ServerHttp2Stream, headers: Readonly<Record<string, unknown>>) => void;

/** A server that speaks nothing but HTTP/2. */
function serve(answer: Answer, server: Server = createServer()): Promise<number> {
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    stream.on('error', () => {});
    answer(stream, headers);
  });
  return listen(server);
}

test('an HTTP probe of a pool with HTTP/2 asks in it, and says who asks', async () => {
  const seen: unknown[] = [];
  const port = await serve((stream, headers) => {
    seen.push(headers);
    stream.respond({ ':status': 200 });
    stream.end('all is well');
  });
  expect(await probe(port, { expectBody: 'is well' })).toMatchObject({ ok: true });
  const told = { method: 'HEAD', headers: { host: 'shop', 'x-probe': 'yes' } };
  expect(await probe(port, told)).toMatchObject({ ok: true });
  const common = { ':scheme': 'http', ':path': '/healthz?deep=1', 'user-agent': 'usher-health' };
  expect(seen).toMatchObject([
    { ...common, ':method': 'GET', ':authority': `127.0.0.1:${port}` },
    { ...common, ':method': 'HEAD', ':authority': 'shop', 'x-probe': 'yes' },
  ]);
});

test.each<[string, Answer, string]>([
  ['with another status', (stream) => stream.respond({ ':status': 503 }), 'status 503, expected 200'],
  ['with another body', (stream) => stream.end('ill'), 'the body has no "well"'],
  [
    'that is cut off',
    (stream) => {
      stream.respond({ ':status': 200 });
      stream.write('well', () => setImmediate(() => stream.destroy(new Error('cut'))));
    },
    'the answer was cut off',
  ],
  [
    'whose connection ends',
    (stream) => {
      stream.respond({ ':status': 200 });
      stream.write('well', () => stream.session?.destroy());
    },
    'the answer was cut off',
  ],
  ['that never begins', (stream) => stream.close(8), 'closed without an answer'],
])('an answer %s is a failure', async (_which, answer, cause) => {
  const result = await probe(await serve(answer), { expectBody: 'well' });
  expect(result).toEqual({ ok: false, timedOut: false, cause });
});

test('an answer in HTTP/1.1 is a failure', async () => {
  const server = createTcpServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  expect(await probe(await listen(server))).toMatchObject({ ok: false, timedOut: false });
});

test('over TLS the backend has to agree to HTTP/2', async () => {
  const { cert, key } = makeCertificate({ commonName: 'web' });
  const tls = { verify: false };
  const agrees = await serve((stream) => stream.end('well'), createSecureServer({ cert, key }));
  expect(await probe(agrees, { tls })).toMatchObject({ ok: true });
  const silent = await listen(createHttpsServer({ cert, key, ALPNProtocols: [] }));
  expect(await probe(silent, { tls })).toEqual({
    ok: false,
    timedOut: false,
    cause: 'the backend does not agree to HTTP/2',
  });
});

test('the probes of a pool with HTTP/2 are to speak it, and only those over HTTP', () => {
  const state = emptyFleet();
  const settings = { id: 'b1', pool: 'web', url: 'http://127.0.0.1:1', weight: 1 };
  state.backends.set('b1', newBackend(settings, 'config', 'unknown', 1));
  const planned = (health: HealthCheck, http2: boolean) => {
    const pool = { ...poolSettings('web', health), http2 };
    state.pools.set('web', {
      settings: pool,
      origin: 'config',
      panicBy: new Map(),
      seenBy: new Map(),
      cleared: noneCleared(),
      revision: 1,
    });
    return probePlan(state, 'b1')?.targets;
  };
  const asked = { path: '/', method: 'GET', headers: {}, expectStatus: [200] } as const;
  const http = { ...TCP_CHECK, ...asked, type: 'http' } as const;
  expect(planned(http, true)).toMatchObject([{ type: 'http', http2: true }]);
  expect(planned(http, false)?.[0]).not.toHaveProperty('http2');
  expect(planned(TCP_CHECK, true)).toEqual([{ type: 'tcp', host: '127.0.0.1', port: 1 }]);
});
