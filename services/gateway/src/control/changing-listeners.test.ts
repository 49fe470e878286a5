import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Gateway, type GatewaySettings, startGateway } from '../index.ts';
import { policy, pool, route } from '../testing/fixtures.ts';
import { backendAt, TestFleet } from '../testing/fleet.ts';
import { ask, freePort, listen, oneConnection, startBackend, until } from '../testing/http.ts';
import { askTls, ListenerFiles, oneTlsConnection, serverFor, shakeHands, shownTo } from '../testing/tls.ts';

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

const ANY = { host: '127.0.0.1', port: 0 };

const at = (port: number, host = '127.0.0.1') => ({ host, port });

/** A gateway with two workers; its backend says whom the request is for, or waits until `release` is called. */
async function start(
  settings: GatewaySettings['listen'] = [ANY],
): Promise<Gateway & { port: number; release(): void }> {
  const held: (() => void)[] = [];
  const backend = await startBackend('one', ({ url, headers }, response) => {
    const answer = () => response.end(`<${headers['x-forwarded-for']?.toString()}>`);
    if (url === '/held') held.push(answer);
    else answer();
  });
  closing.push(() => backend.close());
  const file = new URL('../testing/crash-plugin.mjs', import.meta.url).pathname;
  const fallback = {
    ...policy({
      routes: [
        route({ id: 'crash', path: '/crash', pool: 'web', plugins: [{ name: 'crash', file, options: {} }] }),
        route({ id: 'all', path: '/*', pool: 'web' }),
      ],
    }),
    pools: [pool()],
    backends: [backendAt('one', backend.url)],
  };
  const gateway = await startGateway(fleet.context(), { listen: settings, workers: 2 }, fallback);
  closing.push(() => gateway.stop());
  const release = () => {
    for (const answer of held.splice(0)) answer();
  };
  const { port } = gateway.addresses[0]!;
  return Object.assign(gateway, { port, release });
}

function files(...names: string[]): ListenerFiles {
  const made = new ListenerFiles(names.map((name) => serverFor(name)));
  closing.push(() => made.remove());
  return made;
}

const served = (port: number) => ask(port).then(({ status }) => status === 200);
const refused = (port: number) =>
  ask(port).then(
    () => false,
    (error: NodeJS.ErrnoException) => error.code === 'ECONNREFUSED',
  );

/** Something that listens on a port of its own. */
async function squatter(): Promise<number> {
  const server = createServer();
  closing.push(() => server.close());
  return await listen(server);
}

describe('an address', () => {
  test('that is added takes connections, to all workers, while the others stay as they are', async () => {
    const gateway = await start();
    const agent = oneConnection();
    closing.push(() => agent.destroy());
    expect((await ask(gateway.port, { agent })).status).toBe(200);
    const added = await freePort();
    await gateway.listen([ANY, at(added)]);
    expect(gateway.addresses).toEqual([at(gateway.port), at(added)]);
    for (let each = 0; each < 10; each++) expect(await served(added)).toBe(true);
    expect((await ask(gateway.port, { agent })).status).toBe(200);
  });

  test('that is gone takes none, but what it took lives on', async () => {
    const gateway = await start([ANY, ANY]);
    const [kept, gone] = gateway.addresses.map(({ port }) => port) as [number, number];
    const agent = oneConnection();
    closing.push(() => agent.destroy());
    expect((await ask(gone, { agent })).status).toBe(200);
    const inProgress = ask(gone, { path: '/held' });
    // Nothing has been sent on it yet.
    const silent = connect(gone, '127.0.0.1');
    closing.push(() => silent.destroy());
    await once(silent, 'connect');
    await gateway.listen([ANY]);
    await until(() => refused(gone), 'the address is closed');
    expect(gateway.addresses).toEqual([at(kept)]);
    gateway.release();
    expect((await inProgress).status).toBe(200);
    expect((await ask(gone, { agent })).status).toBe(200);
    silent.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const [answer] = (await once(silent, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1.1 200/);
    await gateway.listen([ANY, at(gone)]);
    expect(await served(gone)).toBe(true);
  });

  test('may change to all addresses of its port and back', async () => {
    const gateway = await start();
    const port = await freePort();
    await gateway.listen([at(port)]);
    await gateway.listen([at(port, '0.0.0.0')]);
    expect(await served(port)).toBe(true);
    await gateway.listen([at(port, 'localhost')]);
    await gateway.listen([at(port)]);
    expect(await served(port)).toBe(true);
  });

  test('that somebody else has keeps everything as it was', async () => {
    const gateway = await start();
    const [taken, free] = [await squatter(), await freePort()];
    const { source } = files('a.test');
    await expect(gateway.listen([{ ...ANY, tls: source }, at(free), at(taken)])).rejects.toThrow(
      `listen: cannot listen on 127.0.0.1:${taken}: another process listens there`,
    );
    expect(gateway.addresses).toEqual([at(gateway.port)]);
    expect(await served(gateway.port)).toBe(true);
    expect(await refused(free)).toBe(true);
    await gateway.listen([ANY, at(free)]);
    expect(await served(free)).toBe(true);
  });
});

describe('what is special about an address', () => {
  test('changes from plain to TLS and back, for new connections only', async () => {
    const gateway = await start();
    const { port } = gateway;
    const [plain, secure] = [oneConnection(), oneTlsConnection()];
    closing.push(
      () => plain.destroy(),
      () => secure.destroy(),
    );
    await ask(port, { agent: plain });
    await gateway.listen([{ ...ANY, tls: files('a.test').source }]);
    await expect(ask(port)).rejects.toThrow();
    expect((await askTls(port, { agent: secure })).status).toBe(200);
    expect((await ask(port, { agent: plain })).status).toBe(200);
    expect(await fleet.metrics.read('usher_tls_certificate_expiry_timestamp_seconds')).toHaveLength(1);
    await gateway.listen([ANY]);
    await expect(askTls(port)).rejects.toThrow();
    expect(await served(port)).toBe(true);
    expect((await askTls(port, { agent: secure })).status).toBe(200);
    expect((await ask(port, { agent: plain })).status).toBe(200);
    expect(await fleet.metrics.read('usher_tls_certificate_expiry_timestamp_seconds')).toEqual([]);
  });

  test('is its certificates, of which only those in use are followed', async () => {
    const [old, next] = [files('old.test'), files('next.test')];
    const gateway = await start([{ ...ANY, tls: old.source }]);
    const { port } = gateway;
    const begun = connect(port, '127.0.0.1');
    closing.push(() => begun.destroy());
    await once(begun, 'connect');
    await gateway.listen([{ ...ANY, tls: next.source }]);
    expect(await shownTo(port)).toBe('next.test');
    // A handshake goes on with what there was when its connection was accepted, or with what there is now.
    const client = await shakeHands(port, { socket: begun });
    client.destroy();
    old.replace(0, serverFor('older.test'));
    next.replace(0, serverFor('newer.test'));
    await until(async () => (await shownTo(port)) === 'newer.test', 'new files are taken up');
    expect(await fleet.metrics.sum('usher_tls_reloads_total')).toBe(1);
  });

  test('keeps sessions that can be resumed when it stays the same', async () => {
    const { source } = files('a.test');
    const gateway = await start([{ ...ANY, tls: source }]);
    const options = { maxVersion: 'TLSv1.2' } as const;
    const first = await shakeHands(gateway.port, options);
    const session = first.getSession();
    first.destroy();
    await gateway.listen([{ ...ANY, tls: source }, at(await freePort())]);
    const again = await shakeHands(gateway.port, { ...options, session: session! });
    expect(again.isSessionReused()).toBe(true);
    again.destroy();
  });

  test('is that connections begin with the PROXY protocol', async () => {
    const gateway = await start();
    const header = 'PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\r\n';
    await gateway.listen([{ ...ANY, proxyProtocol: true }]);
    const socket: Socket = connect(gateway.port, '127.0.0.1');
    closing.push(() => socket.destroy());
    socket.write(`${header}GET / HTTP/1.1\r\nHost: a\r\n\r\n`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toContain('<192.0.2.7>');
    await expect(ask(gateway.port)).rejects.toThrow();
    await gateway.listen([ANY]);
    expect((await ask(gateway.port)).text).toBe('<127.0.0.1>');
  });

  test('is whether clients may speak HTTP/2', async () => {
    const { source } = files('a.test');
    const gateway = await start([{ ...ANY, tls: source, http2: false }]);
    const agreed = async (): Promise<unknown> => {
      const client = await shakeHands(gateway.port, { ALPNProtocols: ['h2', 'http/1.1'] });
      client.destroy();
      return client.alpnProtocol;
    };
    expect(await agreed()).toBe('http/1.1');
    await gateway.listen([{ ...ANY, tls: source }]);
    expect(await agreed()).toBe('h2');
  });

  test('that cannot be used keeps everything as it was', async () => {
    const bad = files('a.test');
    const gateway = await start();
    const free = await freePort();
    bad.put('0.key', 'nothing');
    await expect(gateway.listen([{ ...ANY, tls: bad.source }, at(free)])).rejects.toThrow(/0\.key/);
    expect(await served(gateway.port)).toBe(true);
    expect(await refused(free)).toBe(true);
    expect(gateway.fault()).toBeUndefined();
  });
});

describe('a change of the listeners', () => {
  test('is what a worker comes back to when it dies', async () => {
    const gateway = await start();
    const { port } = gateway;
    const added = await freePort();
    await gateway.listen([{ ...ANY, tls: files('a.test').source }, at(added)]);
    await expect(ask(added, { path: '/crash' })).rejects.toThrow();
    await until(() => gateway.fault() !== undefined, 'the worker is gone');
    const later = await freePort();
    await gateway.listen([ANY, { ...at(later), tls: files('b.test').source }]);
    await until(() => gateway.fault() === undefined, 'it is back');
    for (let each = 0; each < 20; each++) {
      expect(await served(port)).toBe(true);
      expect(await shownTo(later)).toBe('b.test');
      expect(await refused(added)).toBe(true);
    }
  });

  test('waits for the one before it, and there is none once the gateway stops', async () => {
    const gateway = await start();
    const ports = [await freePort(), await freePort(), await freePort()];
    await Promise.all(ports.map((port) => gateway.listen([at(port)])));
    expect(gateway.addresses).toEqual([at(ports[2]!)]);
    expect(await served(ports[2]!)).toBe(true);
    const stopped = gateway.stop();
    await expect(gateway.listen([ANY])).rejects.toThrow('the gateway is stopping');
    await stopped;
  });
});
