import type { RequestListener } from 'node:http';
import { connect as connectPlain } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { PolicySettings, SharedSettings } from '@usher/domain';
import { makeCertificate } from '@usher/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { startGateway } from '../index.ts';
import { policy, pool, route } from '../testing/fixtures.ts';
import { backendAt, TestFleet } from '../testing/fleet.ts';
import { startBackend, until } from '../testing/http.ts';
import {
  askTls,
  CLIENT_CA,
  ListenerFiles,
  oneTlsConnection,
  serverFor,
  shakeHands,
  shownTo,
} from '../testing/tls.ts';

// Whole gateways with their threads: a busy machine may take its time.
vi.setConfig({ testTimeout: 30_000 });

let fleet: TestFleet;
const closing: (() => unknown)[] = [];

beforeEach(() => {
  fleet = new TestFleet();
});
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
  await fleet.close();
});

interface Setup {
  readonly workers?: number;
  readonly policy?: Partial<PolicySettings>;
  readonly handle?: RequestListener;
}

/** A gateway with one TLS listener and one backend that answers with `ok`. */
async function gateway(files: ListenerFiles, setup: Setup = {}) {
  closing.push(() => files.remove());
  const backend = await startBackend('ok', setup.handle);
  closing.push(() => backend.close());
  const settings: SharedSettings = {
    ...policy(setup.policy),
    pools: [pool()],
    backends: [backendAt('b1', backend.url)],
  };
  const listen = [{ host: '127.0.0.1', port: 0, tls: files.source }];
  const started = await startGateway(fleet.context(), { listen, workers: setup.workers ?? 1 }, settings);
  closing.push(() => started.stop());
  return Object.assign(started, { port: started.addresses[0]!.port, backend });
}

const failures = (reason: string) => fleet.metrics.sum('usher_tls_handshake_failures_total', { reason });

describe('the certificate shown', () => {
  test('is the one for the host that the client asks for, else the first one', async () => {
    const files = new ListenerFiles([serverFor('one.test'), serverFor('two.test', '*.two.test')]);
    const { port } = await gateway(files);
    expect(await shownTo(port, 'one.test')).toBe('one.test');
    expect(await shownTo(port, 'two.test')).toBe('two.test');
    expect(await shownTo(port, 'WWW.Two.Test')).toBe('two.test');
    expect(await shownTo(port, 'a.www.two.test')).toBe('one.test');
    expect(await shownTo(port, 'unknown.test')).toBe('one.test');
    expect(await shownTo(port)).toBe('one.test');
  });

  test('changes with its files, while requests go on without one that fails', async () => {
    const files = new ListenerFiles([serverFor('old.test')]);
    const { port } = await gateway(files, { workers: 2 });
    const agent = oneTlsConnection();
    closing.push(() => agent.destroy());
    let stop = false;
    let answered = 0;
    const load = Array.from({ length: 4 }, async (_, each) => {
      while (!stop) {
        const { status } = await askTls(port, each === 0 ? { agent } : {});
        if (status === 200) answered += 1;
      }
    });
    const kept = await shakeHands(port);
    for (let each = 1; each <= 3; each++) {
      const name = `new-${each}.test`;
      files.replace(0, serverFor(name));
      await until(async () => (await shownTo(port)) === name, `${name} is shown`);
      const before = answered;
      await until(() => answered > before + 10, 'requests go on');
    }
    stop = true;
    await Promise.all(load);
    expect(kept.destroyed).toBe(false);
    kept.destroy();
    expect(await fleet.metrics.sum('usher_tls_reloads_total', { outcome: 'ok' })).toBe(3);
  });

  test('stays when its new files are of no use, and that is told until they are', async () => {
    const files = new ListenerFiles([serverFor('old.test')]);
    const running = await gateway(files);
    const next = serverFor('new.test');
    files.put('0.pem', next.cert);
    await until(() => running.fault() !== undefined, 'the fault is known');
    expect(running.fault()).toMatch(
      /^the new certificates of 127.0.0.1:0 are not used: the key in .+0\.key is not that of/,
    );
    expect(await shownTo(running.port)).toBe('old.test');
    expect(fleet.log.entries).toContainEqual(
      expect.objectContaining({
        level: 'error',
        message: 'new certificates cannot be used, the old ones stay',
      }),
    );
    expect(await fleet.metrics.sum('usher_tls_reloads_total', { outcome: 'failed' })).toBe(1);
    files.put('0.key', next.key);
    await until(async () => (await shownTo(running.port)) === 'new.test', 'the new one is shown');
    expect(running.fault()).toBeUndefined();
    expect(JSON.stringify(fleet.log.entries)).not.toContain('PRIVATE');
  });

  test('is warned of when it has expired, and its end can be watched', async () => {
    const notAfter = new Date(Math.floor(Date.now() / 1000) * 1000 - 1000);
    const files = new ListenerFiles([makeCertificate({ names: ['old.test'], notAfter })]);
    await gateway(files);
    expect(fleet.log.entries).toContainEqual(
      expect.objectContaining({ level: 'warn', message: 'a certificate has expired' }),
    );
    expect(await fleet.metrics.read('usher_tls_certificate_expiry_timestamp_seconds')).toEqual([
      { labels: { name: 'old.test' }, value: notAfter.getTime() / 1000 },
    ]);
  });
});

describe('a handshake', () => {
  test('with an older version than allowed is refused', async () => {
    const { port } = await gateway(new ListenerFiles([serverFor('a.test')], { minVersion: '1.3' }));
    await expect(shakeHands(port, { maxVersion: 'TLSv1.2' })).rejects.toThrow(/version/);
    expect((await askTls(port, { tls: { minVersion: 'TLSv1.3' } })).status).toBe(200);
    await until(async () => (await failures('nothing_in_common')) === 1, 'the failure is counted');
    expect(await fleet.metrics.sum('usher_tls_handshakes_total')).toBe(1);
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

  test('that is no TLS at all is closed', async () => {
    const { port } = await gateway(new ListenerFiles([serverFor('a.test')]));
    const socket = connectPlain(port, '127.0.0.1');
    const got: Buffer[] = [];
    socket.on('data', (bytes: Buffer) => got.push(bytes));
    socket.write('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
    await new Promise((resolve) => socket.once('close', resolve));
    expect(Buffer.concat(got).toString()).not.toContain('HTTP');
    await until(async () => (await failures('not_tls')) === 1, 'the failure is counted');
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
    expect(await failures('timeout')).toBe(2);
  });

  test('that the client leaves is over at once', async () => {
    const { port } = await gateway(new ListenerFiles([serverFor('a.test')]));
    connectPlain(port, '127.0.0.1').end();
    await until(async () => (await failures('closed')) === 1, 'the failure is counted');
  });

  test('is shortened for a client that comes back, to whichever worker', async () => {
    const { port } = await gateway(new ListenerFiles([serverFor('a.test')]), { workers: 3 });
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const session = await sessionOf(port, { maxVersion });
      for (let each = 0; each < 12; each++) {
        expect(await isResumed(port, { maxVersion, session })).toBe(true);
      }
    }
    expect(await fleet.metrics.sum('usher_tls_handshakes_total', { kind: 'full' })).toBe(2);
    expect(await fleet.metrics.sum('usher_tls_handshakes_total', { kind: 'resumed' })).toBe(24);
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
    await until(async () => (await failures('client_certificate')) === 4, 'the failures are counted');
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
    closing.push(() => agent.destroy());
    const answers = [];
    for (const path of ['/a', '/zip/b', '/c']) answers.push((await askTls(port, { path, agent })).text);
    expect(answers).toEqual(['https', 'https', 'https']);
  });

  test('carry bodies of any size both ways as they are', async () => {
    const { port } = await gateway(new ListenerFiles([serverFor('a.test')]), {
      handle: (request, response) => void request.pipe(response),
    });
    const agent = oneTlsConnection();
    closing.push(() => agent.destroy());
    for (const size of [1, 4095, 16_385, 70_000, 3_000_000]) {
      const body = Buffer.alloc(size, `${size} bytes, `);
      const answer = await askTls(port, { method: 'POST', body, agent });
      expect(answer.body.equals(body)).toBe(true);
    }
  });

  test('that are under way are finished when the gateway stops', async () => {
    const gate = Promise.withResolvers<void>();
    const running = await gateway(new ListenerFiles([serverFor('a.test')]), {
      workers: 2,
      handle: (_request, response) => void gate.promise.then(() => response.end('done')),
    });
    const answers = Array.from({ length: 10 }, () => askTls(running.port));
    await until(() => running.backend.seen.length === 10, 'all are under way');
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
