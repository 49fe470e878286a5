import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, Agent as PlainAgent, get as plainGet } from 'node:http';
import { get as secureGet, Agent as TlsAgent } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import path from 'node:path';
import { connect as connectTls } from 'node:tls';
import { makeCertificate, tempDir } from '@usher/testing';
import { expect, onTestFinished, test } from 'vitest';
import { end, type Started, start, USHER } from './support/command.ts';
import { freePorts } from './support/ports.ts';
import { isReady } from './support/usher-process.ts';
import { until } from './support/wait.ts';

const CHANGES = 100;

/** A backend that answers requests and sends back what comes over its WebSockets. */
async function startEchoBackend(): Promise<string> {
  const server = createServer((_request, response) => response.end('ok'));
  // Longer than any proxy keeps its side, so that no connection closes while a request is on its way.
  server.keepAliveTimeout = 120_000;
  server.on('upgrade', (_request, socket) => {
    socket.on('error', () => {});
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    socket.pipe(socket);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The four listeners, of which some are always there. */
interface Ports {
  /** Stays as it is. */
  readonly plain: number;
  /** Stays, with one certificate after the other. */
  readonly secure: number;
  /** Plain and TLS in turn. */
  readonly turning: number;
  /** There and gone in turn. */
  readonly passing: number;
}

const at = (port: number): string => `address: "127.0.0.1:${port}"`;
const tls = (name: string): string => `tls: { certificates: [{ cert: ${name}.pem, key: ${name}.key }] }`;

/** The listeners after so many changes. */
function listen({ plain, secure, turning, passing }: Ports, change: number): string {
  const listeners = [
    `"127.0.0.1:${plain}"`,
    `{ ${at(secure)}, ${tls(`cert-${change % 3}`)} }`,
    `{ ${at(turning)}${change % 2 === 0 ? '' : `, ${tls('cert-0')}`} }`,
    ...(Math.floor(change / 2) % 2 === 0 ? [`"127.0.0.1:${passing}"`] : []),
  ];
  return `listen: [${(change % 5 === 0 ? listeners : listeners.toReversed()).join(', ')}]`;
}

/** Clients that count what they get. */
class Clients {
  readonly answered = { kept: 0, new: 0, secureKept: 0, secureNew: 0 };
  readonly failures: string[] = [];
  readonly #work: Promise<void>[] = [];
  #stopped = false;

  /** Sends requests one after the other, over one connection or each over its own. */
  add(kind: keyof Clients['answered'], port: number): void {
    this.#work.push(this.#client(kind, port));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#work);
  }

  async #client(kind: keyof Clients['answered'], port: number): Promise<void> {
    const keepAlive = kind === 'kept' || kind === 'secureKept';
    const secure = kind === 'secureKept' || kind === 'secureNew';
    const options = { keepAlive, maxSockets: 1 };
    const agent = secure ? new TlsAgent({ ...options, rejectUnauthorized: false }) : new PlainAgent(options);
    while (!this.#stopped) {
      const failure = await fetchOk(secure, port, agent);
      if (failure === undefined) this.answered[kind] += 1;
      else this.failures.push(`${kind}: ${failure}`);
    }
    agent.destroy();
  }
}

/** Undefined where the answer is as it shall be. */
function fetchOk(secure: boolean, port: number, agent: PlainAgent | TlsAgent): Promise<string | undefined> {
  const get = secure ? secureGet : plainGet;
  return new Promise((resolve) => {
    const sent = get({ host: '127.0.0.1', port, agent }, (response) => {
      response.on('error', ({ message }) => resolve(message));
      response.on('end', () =>
        resolve(response.statusCode === 200 ? undefined : String(response.statusCode)),
      );
      response.resume();
    });
    sent.on('error', ({ message }) => resolve(message));
  });
}

/** One end of a WebSocket that stays open. */
class WebSocketClient {
  readonly #socket: Socket;
  #text = '';
  #frames = 0;

  constructor(port: number, secure: boolean) {
    const target = { port, host: '127.0.0.1', rejectUnauthorized: false };
    this.#socket = secure ? connectTls(target) : connect(target);
    this.#socket.on('error', () => {});
    this.#socket.on('data', (chunk: Buffer) => (this.#text += chunk.toString('latin1')));
    onTestFinished(() => void this.#socket.destroy());
  }

  get closed(): boolean {
    return this.#socket.readableEnded || this.#socket.destroyed;
  }

  async open(): Promise<this> {
    const fields = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n';
    this.#socket.write(`GET /ws HTTP/1.1\r\nHost: a\r\n${fields}Sec-WebSocket-Key: a\r\n\r\n`);
    await until('the WebSocket is open', () => this.#text.includes('\r\n\r\n'));
    expect(this.#text).toMatch(/^HTTP\/1.1 101 /);
    this.#text = '';
    return this;
  }

  /** Sends a frame and waits until it has come back. */
  async echo(): Promise<void> {
    const frame = `\x82\x84abcd${String(this.#frames++ % 10_000).padStart(4, '0')}`;
    this.#socket.write(frame, 'latin1');
    await until('the frame is back', () => this.#text.length >= frame.length || this.closed);
    expect(this.#text).toBe(frame);
    this.#text = '';
  }
}

async function startUsher(directory: string, config: string, metrics: number): Promise<Started> {
  writeFileSync(path.join(directory, 'usher.yaml'), config);
  const usher = start(USHER, ['run', '--config', path.join(directory, 'usher.yaml')], directory);
  onTestFinished(async () => void (await end(usher, 'SIGTERM')));
  await until('ready', async () => {
    if (usher.child.exitCode !== null) throw new Error(usher.output());
    return await isReady(metrics);
  });
  return usher;
}

test(`${CHANGES} changes of the listeners under load fail no request and close no WebSocket`, async () => {
  const directory = tempDir();
  onTestFinished(() => directory.remove());
  for (let each = 0; each < 3; each++) {
    const { cert, key } = makeCertificate({ names: [`${each}.test`] });
    writeFileSync(path.join(directory.path, `cert-${each}.pem`), cert);
    writeFileSync(path.join(directory.path, `cert-${each}.key`), key);
  }
  const [one, two] = [await freePorts(), await freePorts()];
  const ports = { plain: one.traffic, secure: one.admin, turning: two.traffic, passing: two.admin };
  const backend = await startEchoBackend();
  const config = (change: number): string =>
    [
      listen(ports, change),
      'admin: none',
      `metrics: { address: "127.0.0.1:${one.metrics}" }`,
      'workers: 2',
      'pools:',
      `  web: { health: { type: none }, backends: [{ id: one, url: "${backend}" }] }`,
      'routes: [{ path: "/*", pool: web }]',
      '',
    ].join('\n');
  const usher = await startUsher(directory.path, config(0), one.metrics);
  const applied = () => usher.output().split('"the new configuration is in use"').length - 1;

  const clients = new Clients();
  for (let each = 0; each < 3; each++) {
    clients.add('kept', ports.plain);
    clients.add('secureKept', ports.secure);
  }
  clients.add('new', ports.plain);
  clients.add('secureNew', ports.secure);
  const sockets: WebSocketClient[] = [];
  const open = async (port: number, secure = false) =>
    void sockets.push(await new WebSocketClient(port, secure).open());
  await open(ports.plain);
  await open(ports.secure, true);
  for (let change = 1; change <= CHANGES; change++) {
    // Some of them on listeners that are gone, or another kind, a change later.
    if (change % 12 === 1) await open(ports.passing);
    if (change % 12 === 1) await open(ports.turning);
    if (change % 12 === 2) await open(ports.turning, true);
    writeFileSync(path.join(directory.path, 'usher.yaml'), config(change));
    usher.child.kill('SIGHUP');
    await until(`change ${change} counts`, () => applied() === change);
    for (const socket of sockets) await socket.echo();
  }
  await clients.stop();
  expect(clients.failures).toEqual([]);
  expect(sockets.filter(({ closed }) => closed)).toEqual([]);
  for (const count of Object.values(clients.answered)) expect(count).toBeGreaterThan(CHANGES);
});
