import { connect } from 'node:net';
import type { BackendSettings, PoolSettings, StickyCookieSettings, StickySettings } from '@usher/domain';
import type { MessageBus, StateStore } from '@usher/ports';
import { type Gateway, type GatewaySettings, startGateway } from '../index.ts';
import { RawSocket, readMessage, statusOf } from '../wire/testing/raw-socket.ts';
import { policy, pool, route } from './fixtures.ts';
import { backendAt, TestFleet } from './fleet.ts';
import { type Answer, type Ask, ask, type Backend, startBackend, until } from './http.ts';

const tier = { fieldBytesMax: 0, header: 'x-tier', default: 'small' };
const routes = [
  route({ id: 'zip', path: '/zip/*', pool: 'web', tier, plugins: [{ name: 'gzip', options: {} }] }),
  route({ id: 'all', path: '/*', pool: 'web', tier }),
];

export const BY_COOKIE: StickyCookieSettings = {
  by: 'cookie',
  name: 'usher',
  path: '/',
  sameSite: 'lax',
  secure: 'auto',
  keys: [],
  ttlMs: 3_600_000,
  idleMs: 3_600_000,
  affinity: true,
};
export const BY_HEADER: StickySettings = {
  by: 'header',
  name: 'x-user',
  fallback: 'none',
  ttlMs: 3_600_000,
  idleMs: 3_600_000,
  affinity: true,
};
export const BY_IP: StickySettings = { by: 'ip', ttlMs: 3_600_000, idleMs: 3_600_000, affinity: true };

/** Gateways of one fleet and its backends `b1` to `b4`, which answer with their names and echo on WebSockets. */
export class StickyFleet {
  readonly fleet = new TestFleet();
  readonly backends: Backend[] = [];
  readonly gateways: Gateway[] = [];
  /** Sessions of which gateways have told each other. */
  told = 0;
  /** Whatever is told, everybody hears. */
  readonly #bus: MessageBus = {
    request: async () => '',
    serve: () => ({ stop: () => {} }),
    publish: (subject, payload) => {
      const { sessions = [] } = JSON.parse(payload) as { sessions?: unknown[] };
      this.told += sessions.length;
      for (const hear of this.#hearers) hear(subject, payload);
    },
    subscribe: (_subject, hear) => {
      this.#hearers.add(hear);
      return { stop: () => this.#hearers.delete(hear) };
    },
  };
  readonly #hearers = new Set<(subject: string, payload: string) => void>();

  async configure(
    sticky: StickySettings,
    changes: Partial<PoolSettings> = {},
    backendChanges: Partial<BackendSettings> = {},
  ): Promise<void> {
    const declared = [];
    for (const id of ['b1', 'b2', 'b3', 'b4']) {
      const backend = await startBackend(id, (request, response) => {
        response.end(JSON.stringify({ id, cookie: request.headers.cookie ?? '' }));
      });
      backend.server.on('upgrade', (request, socket) => {
        backend.seen.push(request);
        socket.write(
          `HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nx-backend: ${id}\r\n\r\n`,
        );
        socket.pipe(socket);
        socket.on('error', () => {});
      });
      this.backends.push(backend);
      this.fleet.onClose(() => backend.close());
      declared.push(backendAt(id, backend.url, backendChanges));
    }
    await this.fleet.configure(declared, { pools: [pool({ sticky, ...changes })], routes });
  }

  /** Starts one more gateway; all are called differently. */
  async gateway(settings: Partial<GatewaySettings> = {}, store?: StateStore): Promise<number> {
    const name = `gw-${this.gateways.length + 1}`;
    const context = this.fleet.context({
      instance: name,
      owner: name,
      bus: this.#bus,
      ...(store === undefined ? {} : { store }),
    });
    const listen = [{ host: '127.0.0.1', port: 0 }];
    const fallback = { ...policy({ routes }), pools: [], backends: [] };
    const gateway = await startGateway(context, { listen, workers: 2, ...settings }, fallback);
    this.gateways.push(gateway);
    this.fleet.onClose(() => gateway.stop());
    return gateway.addresses[0]!.port;
  }

  async set(sticky: StickySettings): Promise<void> {
    const settings = pool({ sticky });
    await this.fleet.append({ type: 'pool.updated', subject: 'web', data: { settings } });
  }

  async drain(backend: string): Promise<void> {
    const data = { backend, deadlineMs: this.fleet.clock.now() + 60_000, remove: false };
    await this.fleet.append({ type: 'backend.drain_started', subject: backend, data });
    await this.reached();
  }

  async enable(backend: string): Promise<void> {
    await this.fleet.append({ type: 'backend.enabled', subject: backend, data: { backend } });
    await this.reached();
  }

  /** Has all sessions begin anew, or one. */
  async clear(session?: string): Promise<void> {
    await this.fleet.append({ type: 'sticky.cleared', subject: 'web', data: { pool: 'web', session } });
    await this.reached();
  }

  /** Every gateway knows what the log says now. */
  async reached(): Promise<void> {
    const head = await this.fleet.events.head();
    await until(() => this.fleet.fold.position >= head, 'everything is folded');
    // A measurement comes back from each worker after what was posted to it before.
    await this.fleet.metrics.read('usher_backend_eligible');
  }

  /** What the log says of sessions that were moved. */
  moves() {
    return this.fleet.history.flatMap((event) => (event.type === 'sticky.moved' ? [event.data] : []));
  }

  async stop(): Promise<void> {
    await this.fleet.close();
  }
}

/** Who served a request, and with which cookie. */
export interface Served {
  readonly id: string;
  /** The cookies that the backend got. */
  readonly cookie: string;
  /** What the client has to keep; empty = nothing new. */
  readonly set: string;
}

export async function served(port: number, options: Ask = {}): Promise<Served> {
  const answer = await ask(port, { path: '/x', ...options });
  if (answer.status !== 200) throw new Error(`answered with ${answer.status}: ${answer.text}`);
  return { ...(JSON.parse(answer.text) as { id: string; cookie: string }), set: setOf(answer) };
}

function setOf({ headers }: Pick<Answer, 'headers'>): string {
  return headers['set-cookie']?.join() ?? '';
}

/** Asks many times at once, on connections of their own and so in all workers. */
export async function often(ask: () => Promise<Served>, times = 12): Promise<Set<string>> {
  const answers = await Promise.all(Array.from({ length: times }, ask));
  return new Set(answers.map(({ id }) => id));
}

/** The pair that a client sends back. */
export function pairOf(set: string): string {
  return set.slice(0, set.indexOf(';'));
}

/** Opens a WebSocket; answers with who serves it, which has proven to echo. */
export async function webSocket(port: number, path: string, fields: string) {
  const client = new RawSocket(connect(port, '127.0.0.1'));
  client.send(
    `GET ${path} HTTP/1.1\r\nHost: any\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n${fields}\r\n`,
  );
  const head = await readMessage(client, true);
  if (statusOf(head) !== 101) throw new Error(`answered with ${head.firstLine}`);
  client.send('\x82\x81abcdX');
  const echo = await client.take(7);
  client.socket.destroy();
  return { id: head.headers['x-backend'] ?? '', set: head.headers['set-cookie'] ?? '', echo };
}
