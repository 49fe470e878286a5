import { createServer, type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ERRORS, type ErrorCode, type PluginSettings, problemOf } from '@usher/domain';
import { isToken } from '@usher/http1';
import type { RouteEntry, RoutingTable } from '../routing-table.ts';
import type { WireLaneOptions } from '../wire/lane-context.ts';
import { problemResponse } from '../wire/problem-response.ts';
import type { ChainApp } from './chain-app.ts';
import type { Arrival, Upgrade } from './exchange.ts';
import { trustOf } from './forwarded.ts';

/** The wire lane's tools, and the routes to set plugins up for. */
export interface PluginLaneOptions extends Omit<WireLaneOptions, 'handOver'> {
  readonly table: RoutingTable & { readonly routes: readonly RouteEntry[] };
}

/** An app with the number of requests that it is serving. */
interface Chain {
  readonly app: Promise<ChainApp>;
  active: number;
  retired: boolean;
}

const REQUEST_ID_LENGTH_MAX = 128;
const DRAIN_CHECK_MS = 20;

/**
 * The lane for requests that plugins work on: Node's HTTP server in front, Fastify with @fastify/http-proxy behind it.
 *
 * A socket that was handed over stays here until it closes, and this lane serves whatever comes over it, also requests of
 * routes without plugins. Closing it after each response would cost every client of a compressed site a handshake per
 * request, and Node has no way to take a socket back from its HTTP server. The lanes follow the same rules and share the
 * routing table, so all that such a request loses is the wire lane's lower cost.
 *
 * The server owns the connections and the apps own the plugins. There is an app for each distinct chain of plugins, so a
 * plugin that cannot be loaded fails the routes that ask for it and no others, and a change of policy builds only the
 * chains that it changed. An app that is not needed any more ends when its last request has.
 */
export class PluginLane {
  readonly #options: PluginLaneOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Connections with a request under way. */
  readonly #answering = new Set<Socket>();
  #chains = new Map<string, Chain>();
  readonly #chainByRoute = new WeakMap<RouteEntry, Chain>();
  #isTrusted: (address: string) => boolean = () => false;
  #draining = false;

  constructor(options: PluginLaneOptions) {
    this.#options = options;
    this.#server = createServer({ shouldUpgradeCallback: isWebSocket }, (request, response) =>
      this.#dispatch(request, response),
    );
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket as Socket, head));
    this.#server.on('clientError', (error, socket) => {
      // In the middle of an answer there is no place for another one.
      if (this.#answering.has(socket as Socket)) socket.destroy();
      else {
        options.counters.badRequests += 1;
        refuse(socket as Socket, codeOf(error), options.newRequestId());
      }
    });
    // Without this event a server that does not listen would enforce no timeouts and know no idle connections.
    this.#server.emit('listening');
    this.update();
  }

  /** Connections that this lane holds. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** Takes a connection over. `head` is what has been read from it already. */
  accept(socket: Socket, head: Buffer): void {
    if (
      this.#sockets.size >= Math.ceil(this.#options.table.policy.limits.connections / this.#options.workers)
    ) {
      this.#options.counters.connectionsRefused += 1;
      refuse(socket, 'overloaded', this.#options.newRequestId());
      return;
    }
    this.#sockets.add(socket);
    const { counters } = this.#options;
    counters.connectionsOpen += 1;
    const { bytesRead, bytesWritten } = socket;
    socket.once('close', () => {
      this.#sockets.delete(socket);
      counters.connectionsOpen -= 1;
      counters.bytesIn += socket.bytesRead - bytesRead;
      counters.bytesOut += socket.bytesWritten - bytesWritten;
    });
    if (head.length > 0) socket.unshift(head);
    this.#server.emit('connection', socket);
    // Whoever handed it over may have paused it, and the server takes only one that flows.
    socket.resume();
  }

  /** Takes up the table's policy: to be called whenever that changed. Requests wait for the plugins that they need. */
  update(): void {
    const { timeouts, limits, trustedProxies } = this.#options.table.policy;
    this.#isTrusted = trustOf(trustedProxies);
    this.#server.headersTimeout = timeouts.requestHeaderMs;
    this.#server.requestTimeout = 0;
    this.#server.keepAliveTimeout = timeouts.idleMs;
    this.#server.maxHeadersCount = limits.headerCount;
    const before = this.#chains;
    this.#chains = new Map();
    for (const entry of this.#options.table.routes) {
      const key = this.#keyOf(entry);
      const chain = before.get(key);
      if (chain !== undefined) this.#chains.set(key, chain);
      else if (entry.lane === 'plugin') this.#chainOf(entry);
    }
    for (const chain of before.values()) {
      if ([...this.#chains.values()].includes(chain)) continue;
      chain.retired = true;
      this.#closeIfDone(chain);
    }
  }

  /** Finishes what is under way for at most `deadlineMs`, takes nothing new, then closes every connection and every plugin. */
  async drain(deadlineMs: number): Promise<void> {
    this.#draining = true;
    this.#server.closeIdleConnections();
    const until = this.#options.now() + deadlineMs;
    while (this.#sockets.size > 0 && this.#options.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, DRAIN_CHECK_MS));
      this.#server.closeIdleConnections();
    }
    for (const socket of this.#sockets) socket.destroy();
    const chains = [...this.#chains.values()];
    this.#chains.clear();
    await Promise.allSettled(chains.map(async ({ app }) => (await app).close()));
  }

  #dispatch(request: IncomingMessage, response: ServerResponse): void {
    const startedMs = this.#options.now();
    const { host, path } = target(request);
    const entry = this.#options.table.match(host, path);
    const { socket } = request;
    this.#answering.add(socket);
    response.once('close', () => {
      this.#answering.delete(socket);
      this.#count(entry, response.headersSent ? response.statusCode : undefined, startedMs);
    });
    this.#begin(request, response, entry);
  }

  /** A WebSocket: its request goes through the plugins like any other, answered on the socket itself. */
  #upgrade(request: IncomingMessage, client: Socket, head: Buffer): void {
    const startedMs = this.#options.now();
    const { host, path } = target(request);
    const entry = this.#options.table.match(host, path);
    const response = new ServerResponse(request);
    let counted = false;
    const onStatus = (status: number | undefined): void => {
      if (!counted) this.#count(entry, status, startedMs);
      counted = true;
    };
    response.shouldKeepAlive = false;
    response.assignSocket(client);
    response.once('finish', () => {
      onStatus(response.statusCode);
      client.end();
    });
    client.once('close', () => onStatus(undefined));
    this.#begin(request, response, entry, { client, head, onStatus });
  }

  /** Counts a request that was answered; without a status its client left before. */
  #count(entry: RouteEntry | undefined, status: number | undefined, startedMs: number): void {
    const { counters, now } = this.#options;
    if (status === undefined) {
      counters.clientAborts += 1;
      return;
    }
    counters.answered(status, now() - startedMs);
    if (entry !== undefined) entry.answers[Math.floor(status / 100)]! += 1;
  }

  #begin(
    request: IncomingMessage,
    response: ServerResponse,
    entry: RouteEntry | undefined,
    upgrade?: Upgrade,
  ): void {
    if (this.#draining) response.setHeader('connection', 'close');
    const requestId = this.#requestId(request);
    if (entry === undefined) {
      sendPlainProblem(response, 'no_route', requestId);
      return;
    }
    const arrival = {
      entry,
      requestId,
      ...this.#peerOf(request),
      ...(upgrade === undefined ? {} : { upgrade }),
    };
    void this.#serve(request, response, arrival);
  }

  async #serve(request: IncomingMessage, response: ServerResponse, arrival: Arrival): Promise<void> {
    const chain = this.#chainOf(arrival.entry);
    chain.active += 1;
    (arrival.upgrade?.client ?? response).once('close', () => {
      chain.active -= 1;
      this.#closeIfDone(chain);
    });
    try {
      const app = await chain.app;
      app.handle(request, response, arrival);
    } catch {
      // A request is not served without a plugin that its route asks for: that might be the one that checks who may.
      sendPlainProblem(response, 'internal', arrival.requestId);
    }
  }

  #chainOf(entry: RouteEntry): Chain {
    const known = this.#chainByRoute.get(entry);
    if (known !== undefined) return known;
    const key = this.#keyOf(entry);
    const chain = this.#chains.get(key) ?? this.#newChain(entry.settings.plugins);
    this.#chains.set(key, chain);
    this.#chainByRoute.set(entry, chain);
    return chain;
  }

  #newChain(plugins: readonly PluginSettings[]): Chain {
    const chain: Chain = { app: this.#build(plugins), active: 0, retired: false };
    chain.app.catch((error: unknown) => {
      const names = plugins.map(({ name }) => name).join(', ');
      this.#options.log.error('routes with these plugins cannot be served', {
        plugins: names,
        cause: String(error),
      });
    });
    return chain;
  }

  async #build(plugins: readonly PluginSettings[]): Promise<ChainApp> {
    const { policy } = this.#options.table;
    // Fastify and what belongs to it is a third of a worker's memory: it is loaded when the first chain needs it.
    const { buildChainApp } = await import('./chain-app.ts');
    return buildChainApp(plugins, policy, this.#options);
  }

  #closeIfDone(chain: Chain): void {
    if (!chain.retired || chain.active > 0) return;
    chain.app.then((app) => app.close()).catch(() => {});
  }

  /** Equal keys, equal apps. */
  #keyOf({ settings }: RouteEntry): string {
    const { timeouts, limits, trustedProxies } = this.#options.table.policy;
    return JSON.stringify([settings.plugins, timeouts, limits, trustedProxies]);
  }

  #requestId(request: IncomingMessage): string {
    const given = request.headers['x-request-id'];
    return typeof given === 'string' && isToken(given, REQUEST_ID_LENGTH_MAX)
      ? given
      : this.#options.newRequestId();
  }

  #peerOf(request: IncomingMessage): Pick<Arrival, 'host' | 'peer' | 'trusted'> {
    const { remoteAddress = '' } = request.socket;
    const address = remoteAddress.startsWith('::ffff:') ? remoteAddress.slice(7) : remoteAddress;
    const peer = { address, tls: 'encrypted' in request.socket };
    return { host: request.headers.host, peer, trusted: this.#isTrusted(address) };
  }
}

/** Any other protocol that a client would like to change to is ignored, as RFC 9110 section 7.8 allows. */
function isWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket';
}

/** Host and path to route by. An absolute target names the host itself and goes on in origin form (RFC 9112 section 3.2.2). */
function target(request: IncomingMessage): { readonly host: string; readonly path: string } {
  const absolute = /^https?:\/\/([^/?#]*)/i.exec(request.url ?? '');
  if (absolute !== null) {
    const rest = (request.url ?? '').slice(absolute[0].length);
    request.url = rest.startsWith('/') ? rest : `/${rest}`;
    request.headers.host = absolute[1] ?? '';
  }
  const authority = (request.headers.host ?? '').toLowerCase();
  const host = authority.replace(/:\d*$/, '');
  const url = request.url ?? '/';
  const query = url.indexOf('?');
  return { host, path: query < 0 ? url : url.slice(0, query) };
}

function sendPlainProblem(response: ServerResponse, code: 'no_route' | 'internal', requestId: string): void {
  const body = JSON.stringify(problemOf(code));
  response
    .writeHead(ERRORS[code].status, {
      'content-type': 'application/problem+json',
      'content-length': Buffer.byteLength(body),
      'x-request-id': requestId,
    })
    .end(body);
}

/** What Node's parser objects to, as an error of ours. */
function codeOf({ code }: NodeJS.ErrnoException): ErrorCode {
  if (code === 'HPE_HEADER_OVERFLOW') return 'head_too_large';
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'request_timeout' : 'bad_request';
}

/** Answers and closes: nothing that comes after it on this connection can be trusted. */
function refuse(socket: Socket, code: ErrorCode, requestId: string): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const text = problemResponse(code, '', { requestId, connection: 'connection: close\r\n', toHead: false });
  socket.on('error', () => socket.destroy());
  socket.end(text, 'latin1');
  socket.resume();
}
