import { connect as connectPlain } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { makeCertificate } from '@usher/testing';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { Client } from '../h2/testing/client.ts';
import { policy, route } from '../testing/fixtures.ts';
import { until } from '../testing/http.ts';
import { askTls, CLIENT_CA, ListenerFiles, oneTlsConnection, serverFor, shakeHands } from '../testing/tls.ts';
import { TlsGateway, type TlsGatewayOptions } from '../testing/tls-gateway.ts';

// Whole gateways with their threads: a busy machine may take its time.
vi.setConfig({ testTimeout: 30_000 });

let running: TlsGateway;

async function gateway(files: ListenerFiles, options?: TlsGatewayOptions): Promise<TlsGateway> {
  running = await TlsGateway.start(files, options);
  return running;
}

afterEach(() => running.close());

describe('a handshake', () => {
  test('with an older version than allowed is refused', async () => {
    const { port } = await gateway(new ListenerFiles([serverFor('a.test')], { minVersion: '1.3' }));
    await expect(shakeHands(port, { maxVersion: 'TLSv1.2' })).rejects.toThrow(/version/);
    expect((await askTls(port, { tls: { minVersion: 'TLSv1.3' } })).status).toBe(200);
    await until(async () => (await running.failures('nothing_in_common')) === 1, 'the failure is counted');
    expect(await running.fleet.metrics.sum('usher_tls_handshakes_total')).toBe(1);
  });

  test('agrees on a cipher of TLS 1.2 that is allowed', async () => {
    const { port } = await gateway(new ListenerFiles([serverFor('a.test')]));
    const socket = await shakeHands(port, { maxVersion: 'TLSv1.2' });
    expect(socket.getCipher().name).toBe('ECDHE-ECDSA-AES128-GCM-SHA256');
    socket.destroy();
    const other = { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' } as const;
    await expect(shakeHands(port, other)).rejects.toThrow();
  });

  test('agrees on HTTP/1.1, and on nothing that is not spoken here', async () => {
    const { port } = await gateway(new ListenerFiles([serverFor('a.test')]));
    const socket = await shakeHands(port, { ALPNProtocols: ['spdy/3', 'http/1.1'] });
    expect(socket.alpnProtocol).toBe('http/1.1');
    socket.destroy();
    await expect(shakeHands(port, { ALPNProtocols: ['spdy/3'] })).rejects.toThrow(/protocol/);
  });

  test('agrees on HTTP/2 where the listener speaks it', async () => {
    const { port } = await gateway(new ListenerFiles([serverFor('a.test')]));
    const client = await new Client(`https://127.0.0.1:${port}`).connected();
    expect(await client.ask('/')).toMatchObject({ status: 200, body: 'ok' });
    expect(await client.ask('/')).toMatchObject({ status: 200 });
    client.close();
  });

  test('agrees on HTTP/1.1 where the listener does not speak HTTP/2', async () => {
    const { port } = await gateway(new ListenerFiles([serverFor('a.test')]), { http2: false });
    const socket = await shakeHands(port, { ALPNProtocols: ['h2', 'http/1.1'] });
    expect(socket.alpnProtocol).toBe('http/1.1');
    socket.destroy();
    await expect(shakeHands(port, { ALPNProtocols: ['h2'] })).rejects.toThrow(/protocol/);
  });

  test('that is no TLS at all is closed', async () => {
    const { port } = await gateway(new ListenerFiles([serverFor('a.test')]));
    const socket = connectPlain(port, '127.0.0.1');
    const got: Buffer[] = [];
    socket.on('data', (bytes: Buffer) => got.push(bytes));
    socket.write('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
    await new Promise((resolve) => socket.once('close', resolve));
    expect(Buffer.concat(got).toString()).not.toContain('HTTP');
    await until(async () => (await running.failures('not_tls')) === 1, 'the failure is counted');
  });

  test('that takes too long is cut', async () => {
    const { timeouts } = policy();
    const { port } = await gateway(new ListenerFiles([serverFor('a.test')]), {
      policy: { timeouts: { ...timeouts, requestHeaderMs: 200 } },
    });
    const silent = connectPlain(port, '127.0.0.1');
    const slow = connectPlain(port, '127.0.0.1');
    slow.on('error', () => {});
    // The beginning of a record of 512 bytes, which never ends.
    slow.write(Buffer.from([0x16, 3, 1, 2, 0, 1]));
    const drip = setInterval(() => slow.write(Buffer.of(0)), 20);
    const closed = (socket: typeof slow) => new Promise((resolve) => socket.once('close', resolve));
    await Promise.all([closed(silent), closed(slow)]);
    clearInterval(drip);
    expect(await running.failures('timeout')).toBe(2);
  });

  test('that the client leaves is over at once', async () => {
    const { port } = await gateway(new ListenerFiles([serverFor('a.test')]));
    connectPlain(port, '127.0.0.1').end();
    await until(async () => (await running.failures('closed')) === 1, 'the failure is counted');
  });

  test('is shortened for a client that comes back, to whichever worker', async () => {
    const { port } = await gateway(new ListenerFiles([serverFor('a.test')]), { workers: 3 });
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const session = await sessionOf(port, { maxVersion });
      for (let each = 0; each < 12; each++) {
        expect(await isResumed(port, { maxVersion, session })).toBe(true);
      }
    }
    expect(await running.fleet.metrics.sum('usher_tls_handshakes_total', { kind: 'full' })).toBe(2);
    expect(await running.fleet.metrics.sum('usher_tls_handshakes_total', { kind: 'resumed' })).toBe(24);
  });
});

/** Whether a client gets to go on with its session. */
async function isResumed(port: number, options: ConnectionOptions): Promise<boolean> {
  const socket = await shakeHands(port, options);
  const resumed = socket.isSessionReused();
  socket.write('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
  await new Promise((resolve) => socket.once('data', resolve).once('close', resolve));
  socket.destroy();
  return resumed;
}

/** A session that may be resumed; with TLS 1.3 it comes after the handshake. */
async function sessionOf(port: number, options: ConnectionOptions): Promise<Buffer> {
  const socket = await shakeHands(port, options);
  const session = new Promise<Buffer>((resolve) => socket.once('session', resolve));
  socket.write('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
  const ready = options.maxVersion === 'TLSv1.2' ? socket.getSession() : undefined;
  const got = ready ?? (await session);
  socket.destroy();
  return got;
}

describe('a client certificate', () => {
  const known = makeCertificate({ commonName: 'known', issuer: CLIENT_CA });
  const forged = makeCertificate({ commonName: 'forged' });

  test('is demanded where it is required, and must be signed by the right one', async () => {
    const files = new ListenerFiles([serverFor('a.test')], {
      clientCa: CLIENT_CA.cert,
      clientAuth: 'required',
    });
    const { port } = await gateway(files);
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      expect((await askTls(port, { tls: { ...known, maxVersion } })).text).toBe('ok');
      await expect(askTls(port, { tls: { maxVersion } })).rejects.toThrow();
      await expect(askTls(port, { tls: { ...forged, maxVersion } })).rejects.toThrow();
    }
    await until(async () => (await running.failures('client_certificate')) === 4, 'the failures are counted');
  });

  test('may be left out where it is optional, but must be valid', async () => {
    const files = new ListenerFiles([serverFor('a.test')], {
      clientCa: CLIENT_CA.cert,
      clientAuth: 'optional',
    });
    const { port } = await gateway(files);
    expect((await askTls(port)).text).toBe('ok');
    expect((await askTls(port, { tls: known })).text).toBe('ok');
    await expect(askTls(port, { tls: forged })).rejects.toThrow();
  });

  test('is demanded again from a client whose session began under other rules', async () => {
    const files = new ListenerFiles([serverFor('a.test')], {
      clientCa: CLIENT_CA.cert,
      clientAuth: 'required',
    });
    const { port } = await gateway(files);
    const session = await sessionOf(port, { ...known });
    expect(await isResumed(port, { ...known, session })).toBe(true);
    const otherCa = makeCertificate({ commonName: 'another authority', authority: true });
    files.put('clients.pem', otherCa.cert);
    await until(async () => !(await isResumed(port, { ...known, session })), 'the session is refused');
    await expect(askTls(port, { tls: known })).rejects.toThrow();
  });
});

describe('requests over TLS', () => {
  test('are told apart from plain ones, in both lanes', async () => {
    const { port } = await gateway(new ListenerFiles([serverFor('a.test')]), {
      handle: (request, response) => response.end(String(request.headers['x-forwarded-proto'])),
      policy: {
        routes: [
          route({ id: 'zip', path: '/zip/*', pool: 'web', plugins: [{ name: 'gzip', options: {} }] }),
          route({ id: 'all', path: '/*', pool: 'web' }),
        ],
      },
    });
    const agent = oneTlsConnection();
    onTestFinished(() => agent.destroy());
    const answers = [];
    for (const path of ['/a', '/zip/b', '/c']) answers.push((await askTls(port, { path, agent })).text);
    expect(answers).toEqual(['https', 'https', 'https']);
  });

  test('carry bodies of any size both ways as they are', async () => {
    const { port } = await gateway(new ListenerFiles([serverFor('a.test')]), {
      handle: (request, response) => void request.pipe(response),
    });
    const agent = oneTlsConnection();
    onTestFinished(() => agent.destroy());
    for (const size of [1, 4095, 16_385, 70_000, 3_000_000]) {
      const body = Buffer.alloc(size, `${size} bytes, `);
      const answer = await askTls(port, { method: 'POST', body, agent });
      expect(answer.body.equals(body)).toBe(true);
    }
  });

  test('that are under way are finished when the gateway stops', async () => {
    const gate = Promise.withResolvers<void>();
    await gateway(new ListenerFiles([serverFor('a.test')]), {
      workers: 2,
      handle: (_request, response) => void gate.promise.then(() => response.end('done')),
    });
    const answers = Array.from({ length: 10 }, () => askTls(running.port));
    await until(() => running.seen === 10, 'all are under way');
    const stopped = running.stop();
    gate.resolve();
    expect((await Promise.all(answers)).map(({ text }) => text)).toEqual(
      Array.from({ length: 10 }, () => 'done'),
    );
    await stopped;
  });

  test('whose answer breaks off end in a way that no client takes for its end', async () => {
    const { port } = await gateway(new ListenerFiles([serverFor('a.test')]), {
      handle: (request, response) => {
        response.writeHead(200, { 'content-length': 100 }).write('half');
        setImmediate(() => request.socket.destroy());
      },
    });
    await expect(askTls(port)).rejects.toThrow(/ECONNRESET|aborted/);
  });
});
