import { writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { makeCertificate, tempDir } from '@usher/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createNetworkProber } from './network-prober.ts';

const networkProber = createNetworkProber();

const TIMEOUT_MS = 5000;
const never = new AbortController().signal;

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Probes an HTTP server that answers like this. */
async function ask(answer: RequestListener, expectStatus = [200, 204], timeoutMs = TIMEOUT_MS) {
  const port = await listen(createHttpServer(answer));
  return networkProber.probe(httpTarget(port, expectStatus), timeoutMs, never);
}

function httpTarget(port: number, expectStatus = [200]) {
  const authority = `127.0.0.1:${port}`;
  const asked = { path: '/healthz?deep=1', method: 'GET', headers: {} } as const;
  return { type: 'http', host: '127.0.0.1', port, authority, ...asked, expectStatus } as const;
}

/** Probes a server that answers with these bytes, whatever it is asked. */
async function askRaw(bytes: string, timeoutMs = TIMEOUT_MS) {
  const server = createServer((socket) => {
    socket.on('data', () => socket.end(bytes));
  });
  return networkProber.probe(httpTarget(await listen(server)), timeoutMs, never);
}

test('a TCP probe succeeds when the connection is accepted', async () => {
  const port = await listen(createServer());
  const result = await networkProber.probe({ type: 'tcp', host: '127.0.0.1', port }, TIMEOUT_MS, never);
  expect(result).toEqual({ ok: true, latencyMs: expect.any(Number) as number });
});

test('a name of an agent’s backend is not followed to where backends may not be', async () => {
  const port = await listen(createServer());
  const probe = (host: string, networks?: readonly string[]) => {
    const targets = networks === undefined ? undefined : { networks, names: [] };
    return networkProber.probe({ type: 'tcp', host, port, guard: { targets } }, TIMEOUT_MS, never);
  };
  expect(await probe('localhost')).toMatchObject({ ok: true });
  // A number is no address to us, and one to whoever resolves it: 0.0.0.0, which is this machine too.
  expect(await probe('0x0')).toMatchObject({
    ok: false,
    cause: '0x0 leads only to addresses where its pool takes no agents',
  });
});

test.each(['tcp', 'http'] as const)(
  'a %s probe of a port that nobody listens on is refused',
  async (type) => {
    const server = createServer();
    const port = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    const target = type === 'tcp' ? ({ type, host: '127.0.0.1', port } as const) : httpTarget(port);
    expect(await networkProber.probe(target, TIMEOUT_MS, never)).toEqual({
      ok: false,
      timedOut: false,
      cause: 'connection refused',
    });
  },
);

test('an HTTP probe asks by GET, on a connection of its own, and says who asks', async () => {
  let seen: unknown;
  let port = 0;
  const result = await ask((request, response) => {
    const { method, url, headers } = request;
    port = request.socket.localPort ?? 0;
    seen = { method, url, host: headers.host, agent: headers['user-agent'], connection: headers.connection };
    response.end('fine');
  });
  expect(result.ok).toBe(true);
  expect(seen).toEqual({
    method: 'GET',
    url: '/healthz?deep=1',
    host: `127.0.0.1:${port}`,
    agent: 'usher-health',
    connection: 'close',
  });
});

test.each([
  [200, true],
  [204, true],
  [301, false],
  [503, false],
])('an answer with status %i counts by what is expected', async (status, ok) => {
  const result = await ask((_request, response) => {
    response.writeHead(status, { location: '/elsewhere' }).end();
  });
  expect(result.ok).toBe(ok);
  if (!result.ok) expect(result.cause).toBe(`status ${status}, expected 200 or 204`);
});

test('a backend that accepts and says nothing runs out of time', async () => {
  const result = await ask(() => {}, [200], 50);
  expect(result).toEqual({ ok: false, timedOut: true, cause: 'no answer within 50 ms' });
});

test('a backend that never finishes its answer runs out of time', async () => {
  const result = await ask((_request, response) => void response.write('a'), [200], 50);
  expect(result).toMatchObject({ ok: false, timedOut: true });
});

test('of an endless answer only a part is read', async () => {
  let closed = false;
  const result = await ask((_request, response) => {
    const chunk = 'x'.repeat(16_384);
    const timer = setInterval(() => response.write(chunk), 1);
    response.on('close', () => {
      closed = true;
      clearInterval(timer);
    });
  });
  expect(result.ok).toBe(true);
  await expect.poll(() => closed, { timeout: 5000 }).toBe(true);
});

test.each([
  ['cut off', 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc', 'the answer was cut off'],
  ['no HTTP', 'SSH-2.0-OpenSSH_9.9\r\n\r\n', 'the answer is not valid HTTP'],
  ['nothing at all', '', 'connection reset'],
])('an answer that is %s is a failure', async (_what, bytes, cause) => {
  expect(await askRaw(bytes)).toEqual({ ok: false, timedOut: false, cause });
});

test('a switch of protocols is no answer', async () => {
  const result = await askRaw(
    'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n',
  );
  expect(result.ok).toBe(false);
});

test('a probe that is stopped resolves, and its connection is closed', async () => {
  const stop = new AbortController();
  let closed = false;
  const server = createServer((socket) => {
    socket.on('data', () => stop.abort());
    socket.on('close', () => {
      closed = true;
    });
  });
  const result = await networkProber.probe(httpTarget(await listen(server)), TIMEOUT_MS, stop.signal);
  expect(result).toMatchObject({ ok: false, cause: 'stopped' });
  await expect.poll(() => closed, { timeout: 5000 }).toBe(true);
  expect(await networkProber.probe(httpTarget(1), TIMEOUT_MS, stop.signal)).toMatchObject({
    cause: 'stopped',
  });
});

test('a path that cannot be sent fails the probe, not the process', async () => {
  const result = await networkProber.probe({ ...httpTarget(9), path: '/a b' }, TIMEOUT_MS, never);
  expect(result.ok).toBe(false);
});

test.each([
  ['v1', 'PROXY UNKNOWN\r\n'],
  ['v2', '\r\n\r\n\0\r\nQUIT\n\x20\0\0\0'],
] as const)(
  'a probe begins with a header of the PROXY protocol %s where that is expected',
  async (version, header) => {
    const server = createServer((socket) => {
      let received = '';
      socket.on('data', (chunk) => {
        received += chunk.toString('latin1');
        if (received.startsWith(`${header}GET /healthz?deep=1 `)) socket.end('HTTP/1.1 200 OK\r\n\r\n');
      });
    });
    const target = { ...httpTarget(await listen(server)), proxyProtocol: version };
    expect(await networkProber.probe(target, TIMEOUT_MS, never)).toMatchObject({ ok: true });
  },
);

test('an HTTP probe sends the method and headers that it is told to', async () => {
  const seen: unknown[] = [];
  const port = await listen(
    createHttpServer(({ method, headers }, response) => {
      seen.push(method, headers['x-probe'], headers.host);
      response.end();
    }),
  );
  const target = {
    ...httpTarget(port),
    method: 'OPTIONS',
    headers: { 'x-probe': 'yes', host: 'shop' },
  } as const;
  expect(await networkProber.probe(target, TIMEOUT_MS, never)).toMatchObject({ ok: true });
  expect(seen).toEqual(['OPTIONS', 'yes', 'shop']);
});

test.each([
  ['all is well', true],
  ['nothing is', false],
])('an HTTP probe wants the text in the body that it is told to: %s', async (body, ok) => {
  const port = await listen(createHttpServer((_request, response) => response.end(body)));
  const target = { ...httpTarget(port), expectBody: 'is well' };
  const cause = 'the body has no "is well"';
  const expected = ok ? { ok } : { ok, timedOut: false, cause };
  expect(await networkProber.probe(target, TIMEOUT_MS, never)).toMatchObject(expected);
});

test('what was expected of a status is told as ranges', async () => {
  const result = await ask((_request, response) => response.writeHead(500).end(), [200, 201, 202, 404]);
  expect(result).toMatchObject({ cause: 'status 500, expected 200 to 202 or 404' });
});

describe('probes over TLS', () => {
  const authority = makeCertificate({ commonName: 'authority', authority: true });
  const certificate = makeCertificate({ commonName: 'web', names: ['web.test'], issuer: authority });
  const files = tempDir();
  const ca = `${files.path}/ca.pem`;
  writeFileSync(ca, authority.cert);

  async function secured(): Promise<number> {
    const options = { cert: certificate.cert, key: certificate.key };
    return await listen(createHttpsServer(options, (_request, response) => response.end('well')));
  }

  test.each([
    ['with its authority and name', { ca, serverName: 'web.test', verify: true }, { ok: true }],
    ['of whatever certificate', { verify: false }, { ok: true }],
    ['with another name', { ca, serverName: 'other.test', verify: true }, { ok: false }],
    ['by nobody’s authority', { serverName: 'web.test', verify: true }, { ok: false }],
    [
      'with a file that is not there',
      { ca: '/nowhere/ca.pem', verify: true },
      { ok: false, cause: '/nowhere/ca.pem cannot be read: ENOENT' },
    ],
  ])('go by the TLS settings of the pool: %s', async (_which, tls, expected) => {
    const target = { ...httpTarget(await secured()), tls };
    expect(await networkProber.probe(target, TIMEOUT_MS, never)).toMatchObject(expected);
  });

  test('begin with the header of the PROXY protocol where that is wanted', async () => {
    const port = await secured();
    const begun: string[] = [];
    const proxied = await listen(
      createServer((socket) => {
        socket.once('data', (first: Buffer) => {
          const end = first.indexOf('\n') + 1;
          begun.push(first.subarray(0, end).toString());
          const below = connect(port, '127.0.0.1');
          below.write(first.subarray(end));
          socket.pipe(below).pipe(socket);
          below.on('error', () => {});
        });
      }),
    );
    const target = { ...httpTarget(proxied), proxyProtocol: 'v1', tls: { verify: false } } as const;
    expect(await networkProber.probe(target, TIMEOUT_MS, never)).toMatchObject({ ok: true });
    expect(begun).toEqual(['PROXY UNKNOWN\r\n']);
  });

  test('of a server without TLS fail', async () => {
    const port = await listen(createHttpServer((_request, response) => response.end()));
    const target = { ...httpTarget(port), tls: { verify: false } };
    expect(await networkProber.probe(target, TIMEOUT_MS, never)).toMatchObject({
      ok: false,
      timedOut: false,
    });
  });
});
