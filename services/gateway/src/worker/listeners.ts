import { createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { ListenerTls } from '../tls/contexts.ts';
import type { ListenerStart } from './protocol.ts';

/** Connections that the kernel may hold for a worker that is busy. */
const BACKLOG_MAX = 4096;
/** A closing listener takes what the kernel holds for it, but not for ever what keeps coming. */
const LAST_ACCEPTS_MAX_MS = 250;
/** So many turns of the event loop without a connection mean that the kernel holds none; it hands over one a turn. */
const QUIET_TURNS = 2;
/** In a turn that takes longer, with requests to be served, the kernel may have got connections after it was asked. */
const QUIET_TURN_MS_MAX = 0.1;

/** What takes the connections of one listener. */
export interface Acceptor {
  accept(socket: Socket): void;
  /** New certificates or ticket keys; of no effect on plain listeners. */
  update(tls: ListenerTls): void;
}

/** Sockets that listen on one address, with what they do for new connections: one, unless more were left to us. */
interface Listener {
  readonly servers: readonly Server[];
  readonly port: number;
  settings: ListenerStart;
  acceptor: Acceptor;
  accepted: number;
}

interface Change {
  readonly listener: Listener;
  readonly settings: ListenerStart;
  readonly acceptor: Acceptor;
}

/**
 * The listeners of one worker. They change in two steps, so that all workers of a gateway change or none: `prepare` opens what
 * is new and touches nothing else, `commit` or `abort` follow. Connections that were accepted are not affected by either.
 */
export class Listeners {
  readonly #build: (settings: ListenerStart) => Acceptor;
  #current = new Map<number, Listener>();
  #next: Change[] = [];

  /** `build` may throw what is wrong with the settings. */
  constructor(build: (settings: ListenerStart) => Acceptor) {
    this.#build = build;
  }

  /**
   * Answers with the ports in the order of `listen`. All workers of a gateway listen on the same addresses; the kernel deals the
   * connections out.
   */
  async prepare(listen: readonly ListenerStart[]): Promise<readonly number[]> {
    try {
      for (const settings of listen) this.#next.push(await this.#prepareOne(settings));
    } catch (error) {
      this.abort();
      throw error;
    }
    return this.#next.map(({ listener }) => listener.port);
  }

  commit(): void {
    const kept = new Map<number, Listener>();
    for (const { listener, settings, acceptor } of this.#next) {
      listener.settings = settings;
      listener.acceptor = acceptor;
      kept.set(settings.id, listener);
    }
    for (const [id, listener] of this.#current) if (!kept.has(id)) void close(listener);
    this.#current = kept;
    this.#next = [];
  }

  abort(): void {
    for (const { listener, settings } of this.#next)
      if (!this.#current.has(settings.id)) void close(listener);
    this.#next = [];
  }

  update(id: number, tls: ListenerTls): void {
    const listener = this.#current.get(id);
    if (listener === undefined) return;
    listener.settings = { ...listener.settings, tls };
    listener.acceptor.update(tls);
  }

  /** Takes what the kernel has accepted for us by now, which closing would reset, and nothing after it. */
  async close(): Promise<void> {
    const all = [...this.#current.values()];
    this.#current.clear();
    await Promise.all(all.map((listener) => close(listener)));
  }

  async #prepareOne({ sockets, ...settings }: ListenerStart): Promise<Change> {
    const known = this.#current.get(settings.id);
    if (known === undefined) {
      const acceptor = this.#build(settings);
      return { listener: await open(settings, sockets ?? [], acceptor), settings, acceptor };
    }
    const same = isDeepStrictEqual(known.settings, settings);
    return { listener: known, settings, acceptor: same ? known.acceptor : this.#build(settings) };
  }
}

/** An address, or the descriptor of a socket that listens on it. */
type Place = ListenOptions & { readonly fd?: number };

async function open(
  settings: ListenerStart,
  sockets: readonly number[],
  acceptor: Acceptor,
): Promise<Listener> {
  const servers: Server[] = [];
  const listener: Listener = { servers, port: settings.port, settings, acceptor, accepted: 0 };
  const { host, port } = settings;
  const places: readonly Place[] =
    sockets.length > 0 ? sockets.map((fd) => ({ fd })) : [{ host, port, reusePort: true }];
  for (const place of places) servers.push(await openOne(place, listener));
  const [bound] = servers.map((server) => server.address());
  return Object.assign(listener, { port: typeof bound === 'object' && bound !== null ? bound.port : port });
}

async function openOne(place: Place, listener: Listener): Promise<Server> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    listener.accepted += 1;
    listener.acceptor.accept(socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ ...place, backlog: BACKLOG_MAX }, resolve);
  });
  // A connection that could not be accepted, for want of descriptors for example, is no reason to accept no other.
  server.removeAllListeners('error').on('error', () => {});
  return server;
}

async function close(listener: Listener): Promise<void> {
  const endMs = performance.now() + LAST_ACCEPTS_MAX_MS;
  for (let quiet = 0; quiet < QUIET_TURNS && performance.now() < endMs; ) {
    const before = listener.accepted;
    const startMs = performance.now();
    await nextTurn();
    const short = performance.now() - startMs <= QUIET_TURN_MS_MAX;
    quiet = short && listener.accepted === before ? quiet + 1 : 0;
  }
  for (const server of listener.servers) server.close();
}
