import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Mirrors } from '../mirror/mirrors.ts';
import type { RouteEntry, RoutingTable } from '../routing-table.ts';
import type { WireLaneOptions } from '../wire/lane-context.ts';
import { type Peer, PeerDirectory } from '../wire/peer.ts';
import { allowsWebSocket } from '../wire/websocket.ts';
import { admit } from './admit.ts';
import { arrivalOf } from './arrival.ts';
import { EditedResponse } from './edited-response.ts';
import type { Arrival, Upgrade } from './exchange.ts';
import { PluginChains } from './plugin-chains.ts';
import { codeOf, isWebSocket, refuse, requestIdOf, sendPlainProblem, target } from './raw-requests.ts';
import { endSlow, LOOK_MS, SlowClients } from './slow-clients.ts';

/** The wire lane's tools, and the routes to set plugins up for. */
export interface PluginLaneOptions extends Omit<WireLaneOptions, 'handOver'> {
  readonly table: RoutingTable & { readonly routes: readonly RouteEntry[] };
  readonly mirrors: Pick<Mirrors, 'follow'>;
}

/** What is known of a client whatever the policy says. */
type Client = Pick<Peer, 'address' | 'scheme' | 'requestId'>;

const NOBODY: Client = { address: '', scheme: 'http' };
const DRAIN_CHECK_MS = 20;
/** How late Node may notice that a head takes too long. */
const HEAD_CHECK_MS = 1000;
/**
 * How long a drain waits for the next request of an idle connection, to answer it with `Connection: close`. Closed without
 * that, a connection in steady use would lose the request that is just on its way.
 */
const LAST_REQUEST_MS = 300;

/**
 * The lane for requests that plugins work on: Node's HTTP server in front, Fastify with @fastify/http-proxy behind it.
 *
 * A socket that was handed over stays here until it closes, and this lane serves whatever comes over it, also requests of
 * routes without plugins. Closing it after each response would cost every client of a compressed site a handshake per
 * request, and Node has no way to take a socket back from its HTTP server. The lanes follow the same rules and share the
 * routing table, so all that such a request loses is the wire lane's lower cost.
 *
 * The server owns the connections and the apps of the chains own the plugins, so plugins change without a connection
 * being closed.
 */
export class PluginLane {
  readonly #options: PluginLaneOptions;
  readonly #server: Server;
  /** With the client that each is for. */
  readonly #sockets = new Map<Duplex, Client>();
  /** Connections with a request under way. */
  readonly #answering = new Set<Duplex>();
  readonly #slow = new SlowClients(endSlow);
  readonly #looking: NodeJS.Timeout;
  /** More are to be looked at in the next turn of the event loop. */
  #lookOn: NodeJS.Immediate | undefined;
  readonly #chains: PluginChains;
  readonly #peers = new PeerDirectory();
  /** No connection is kept for another request any more. */
  #leaving = false;

  constructor(options: PluginLaneOptions) {
    this.#options = options;
    this.#chains = new PluginChains(options);
    this.#server = createServer(
      {
        shouldUpgradeCallback: (request) => isWebSocket(request) && this.#allowsWebSocket(request),
        connectionsCheckingInterval: HEAD_CHECK_MS,
        ServerResponse: EditedResponse,
      },
      (request, response) => this.#dispatch(request, response),
    );
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket as Socket, head));
    this.#server.on('clientError', (error, socket) => {
      // In the middle of an answer there is no place for another one.
      if (this.#answering.has(socket)) socket.destroy();
      else {
        const code = codeOf(error);
        if (code === 'bad_request') options.counters.badRequests += 1;
        refuse(socket, code, options.newRequestId());
      }
    });
    // Without this event a server that does not listen would enforce no timeouts and know no idle connections.
    this.#server.emit('listening');
    this.#looking = setInterval(() => this.#look(), LOOK_MS);
    this.#looking.unref();
    this.update();
  }

  /** Connections that this lane holds. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** Takes a connection over. `head` is what has been read from it already, `client` whom it is for. */
  accept(socket: Duplex, head: Buffer, client: Client): void {
    if (
      this.#sockets.size >= Math.ceil(this.#options.table.policy.limits.connections / this.#options.workers)
    ) {
      this.#options.counters.connectionsRefused += 1;
      refuse(socket, 'overloaded', this.#options.newRequestId());
      return;
    }
    this.#sockets.set(socket, client);
    const { counters } = this.#options;
    counters.connectionsOpen += 1;
    socket.once('close', () => {
      this.#sockets.delete(socket);
      counters.connectionsOpen -= 1;
    });
    // What comes by way of another connection was counted there.
    if (socket instanceof Socket) this.#countBytes(socket);
    if (head.length > 0) socket.unshift(head);
    this.#server.emit('connection', socket);
    // Whoever handed it over may have paused it, and the server takes only one that flows.
    socket.resume();
  }

  #look(): void {
    // Nobody is slow because the clock was set.
    if (this.#lookOn !== undefined || !this.#slow.look(performance.now(), this.#options.table.policy)) return;
    this.#lookOn = setImmediate(this.#goOnLooking);
  }

  readonly #goOnLooking = (): void => {
    this.#lookOn = undefined;
    this.#look();
  };

  #countBytes(socket: Socket): void {
    const { counters } = this.#options;
    const { bytesRead, bytesWritten } = socket;
    socket.once('close', () => {
      counters.bytesIn += socket.bytesRead - bytesRead;
      counters.bytesOut += socket.bytesWritten - bytesWritten;
    });
  }

  /** Takes up the table's policy: to be called whenever that changed. Requests wait for the plugins that they need. */
  update(): void {
    const { timeouts, limits } = this.#options.table.policy;
    this.#server.headersTimeout = timeouts.requestHeaderMs;
    this.#server.requestTimeout = 0;
    this.#server.keepAliveTimeout = timeouts.idleMs;
    // Node would leave out what is over its limit and say nothing, so the count is ours.
    this.#server.maxHeadersCount = 0;
    this.#server.maxRequestsPerSocket = limits.requestsPerConnection;
    Object.assign(this.#server, { maxHeaderSize: limits.headerBytes });
    this.#chains.update();
  }

  /** Ends each connection with its next answer from now on, but goes on taking new ones. */
  leave(): void {
    this.#leaving = true;
  }

  /** Finishes what is under way for at most `deadlineMs`, takes nothing new, then closes every connection and every plugin. */
  async drain(deadlineMs: number): Promise<void> {
    this.leave();
    const startMs = this.#options.now();
    for (
      let passedMs = 0;
      this.#sockets.size > 0 && passedMs < deadlineMs;
      passedMs = this.#options.now() - startMs
    ) {
      await new Promise((resolve) => setTimeout(resolve, DRAIN_CHECK_MS));
      if (passedMs >= LAST_REQUEST_MS) this.#server.closeIdleConnections();
    }
    clearInterval(this.#looking);
    for (const socket of this.#sockets.keys()) socket.destroy();
    await this.#chains.close();
  }

  #dispatch(request: IncomingMessage, response: EditedResponse): void {
    const startedMs = this.#options.now();
    const entry = this.#entryOf(request);
    const { socket } = request;
    this.#answering.add(socket);
    response.once('close', () => {
      this.#answering.delete(socket);
      this.#slow.answered(response);
      this.#count(entry, request, response.headersSent ? response.statusCode : undefined, startedMs);
    });
    this.#begin(request, response, entry);
  }

  /** Its route, with the one of that route's pools to which it goes. */
  #entryOf(request: IncomingMessage): RouteEntry | undefined {
    const { host, path } = target(request);
    const entry = this.#options.table.match(host, path);
    const peers = this.#peers;
    return entry?.arms === undefined
      ? entry
      : entry.arms.ofMessage(request, path, this.#peerOf(request), peers);
  }

  #peerOf(request: IncomingMessage): Peer {
    const { address, scheme } = this.#sockets.get(request.socket) ?? NOBODY;
    return this.#peers.describe(address, scheme, this.#options.table.policy.trustedProxies);
  }

  #allowsWebSocket(request: IncomingMessage): boolean {
    const { host, path } = target(request);
    const route = this.#options.table.match(host, path);
    return route === undefined || allowsWebSocket(route);
  }

  /** A WebSocket: its request goes through the plugins like any other, answered on the socket itself. */
  #upgrade(request: IncomingMessage, client: Socket, head: Buffer): void {
    const startedMs = this.#options.now();
    const entry = this.#entryOf(request);
    const response = new EditedResponse(request);
    let counted = false;
    const onStatus = (status: number | undefined): void => {
      if (!counted) this.#count(entry, request, status, startedMs);
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
  #count(
    entry: RouteEntry | undefined,
    { method = '' }: IncomingMessage,
    status: number | undefined,
    startedMs: number,
  ): void {
    const { counters, now } = this.#options;
    if (status === undefined) {
      counters.clientAborts += 1;
      return;
    }
    counters.answered(status, now() - startedMs, method);
    if (entry !== undefined) entry.answers[Math.floor(status / 100)]! += 1;
  }

  #begin(
    request: IncomingMessage,
    response: EditedResponse,
    entry: RouteEntry | undefined,
    upgrade?: Upgrade,
  ): void {
    if (this.#leaving) response.setHeader('connection', 'close');
    const { limits } = this.#options.table.policy;
    const { requestId: known } = this.#sockets.get(request.socket) ?? NOBODY;
    const peer = this.#peerOf(request);
    const requestId =
      known ?? requestIdOf(request, entry?.traffic, peer.trusted) ?? this.#options.newRequestId();
    if (upgrade === undefined) this.#slow.begin(response, requestId);
    if (entry === undefined) {
      sendPlainProblem(response, 'no_route', requestId);
      return;
    }
    if (entry.pool.settings.proxyProtocol !== 'none' || entry.pool.settings.http2) {
      // The connections of this lane are shared and speak HTTP/1.1, so they cannot say whom they are for; a new one to us
      // gets another lane.
      response.setHeader('connection', 'close');
      sendPlainProblem(response, 'misdirected', requestId);
      return;
    }
    if (request.rawHeaders.length / 2 > limits.headerCount) {
      sendPlainProblem(response, 'head_too_large', requestId);
      return;
    }
    const tools = { ...this.#options, peers: this.#peers };
    admit({ request, response, entry, peer, requestId }, tools, (seen) => {
      const arrival = arrivalOf({ request, entry, peer, requestId, seen }, tools);
      void this.#serve(request, response, upgrade === undefined ? arrival : { ...arrival, upgrade });
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse, arrival: Arrival): Promise<void> {
    try {
      const { app, done } = await this.#chains.use(arrival);
      (arrival.upgrade?.client ?? response).once('close', done);
      app.handle(request, response, arrival);
    } catch {
      sendPlainProblem(response, 'internal', arrival.requestId);
    }
  }
}
