import type { Socket } from 'node:net';
import { RequestHead, ResponseHead } from '@usher/http1';
import { BackendSessions } from '../h2/backend-sessions.ts';
import { ClientSession } from '../h2/client-session.ts';
import { Mirrors } from '../mirror/mirrors.ts';
import type { ProxyClaim } from '../proxy-protocol/parse.ts';
import { BackendFaultLog } from './backend-fault-log.ts';
import { ClientCensus } from './client-census.ts';
import { ClientConnection } from './client-connection.ts';
import type { ConnectionOwner, LaneConnection, LooseSocket } from './connection-owner.ts';
import type { WireCounts } from './counters.ts';
import { DeadlineWheel, TICK_MS } from './deadlines.ts';
import type { ExchangeContext, LaneContext, WireLaneOptions } from './lane-context.ts';
import { PeerDirectory } from './peer.ts';
import { problemResponse } from './problem-response.ts';
import { Upgrades } from './upgrades.ts';
import { UpstreamPools } from './upstream-pools.ts';
import { Visitor } from './visitor.ts';

/** How long a refused client may go without reading its answer. */
const REFUSED_LINGER_MS = 2000;

/** The wire lane of one worker. */
export interface WireLane {
  /**
   * Serves a connection that a listener accepted. `http2`: clients may speak HTTP/2 too; `claim`: what a PROXY header said
   * before; `first`: bytes that were read with that.
   */
  accept(socket: Socket, http2: boolean, claim?: ProxyClaim, first?: Buffer): void;
  /** Ends each HTTP/1.1 connection with its next answer from now on, but goes on taking new ones. */
  leave(): void;
  /**
   * Takes no further request on kept connections, lets those in progress finish, tells WebSockets one after the other to
   * go, and resolves when none is left or, by force, after `deadlineMs`. The lane is of no use afterwards.
   */
  drain(deadlineMs: number): Promise<void>;
  /** The clock was set by so much: what was to end in a minute still does. */
  clockSet(byMs: number): void;
  /** Closes idle connections to addresses that their hosts have no more. */
  closeGone(): void;
  readonly counts: WireCounts;
  /** Sends copies of requests, also of those that other lanes serve. */
  readonly mirrors: Mirrors;
}

export function createWireLane(options: WireLaneOptions): WireLane {
  return new Lane(options);
}

class Lane implements WireLane, ConnectionOwner {
  readonly mirrors: Mirrors;
  private readonly context: LaneContext;
  private readonly connections = new Set<LaneConnection>();
  private readonly ticker: NodeJS.Timeout;
  /** More deadlines are to expire in the next turn of the event loop. */
  private expiring: NodeJS.Immediate | undefined;
  private onEmpty: (() => void) | undefined;

  constructor(options: WireLaneOptions) {
    const deadlines = new DeadlineWheel(options.now());
    const shared: ExchangeContext = {
      ...options,
      deadlines,
      upstreams: new UpstreamPools(deadlines, options.dialler),
      sessions: new BackendSessions(deadlines, options.dialler, options.now),
      peers: new PeerDirectory(),
      badResponses: new BackendFaultLog(options.log, 'a backend sent an invalid response'),
      census: new ClientCensus(),
      upgrades: new Upgrades(options.counters, options.workers),
      requestHead: new RequestHead(),
      responseHead: new ResponseHead(),
      leaving: false,
      draining: false,
    };
    this.mirrors = new Mirrors(shared);
    this.context = { ...shared, mirrors: this.mirrors };
    this.ticker = setInterval(() => this.expire(), TICK_MS);
    this.ticker.unref();
  }

  get counts(): WireCounts {
    return this.context.counters.read();
  }

  accept(socket: Socket, http2: boolean, claim?: ProxyClaim, first?: Buffer): void {
    const { admission, counters, table, workers } = this.context;
    const connectionsMax = Math.ceil(table.policy.limits.connections / workers);
    if (this.connections.size >= connectionsMax || admission.memoryLevel === 2) {
      counters.connectionsRefused += 1;
      this.refuse(socket);
      return;
    }
    counters.connectionsAccepted += 1;
    counters.connectionsOpen += 1;
    const visitor = new Visitor(this.context, socket, http2, claim);
    const connection = new ClientConnection(socket, this.context, this, visitor);
    this.connections.add(connection);
    if (first === undefined || first.length === 0) return;
    counters.bytesIn += first.length;
    connection.onBytes(first, first.length, 'ever');
  }

  clockSet(byMs: number): void {
    this.context.deadlines.shift(byMs);
  }

  closeGone(): void {
    this.context.upstreams.closeGone();
    this.context.sessions.closeGone();
  }

  closed(connection: LaneConnection): void {
    if (!this.connections.delete(connection)) return;
    this.context.counters.connectionsOpen -= 1;
    if (this.connections.size === 0) this.onEmpty?.();
  }

  speaksHttp2(connection: LaneConnection, loose: LooseSocket, visitor: Visitor): void {
    this.connections.delete(connection);
    this.connections.add(new ClientSession(loose, this.context, this, visitor));
  }

  leave(): void {
    this.context.leaving = true;
  }

  async drain(deadlineMs: number): Promise<void> {
    this.leave();
    this.context.draining = true;
    for (const connection of this.connections) connection.closeIfIdle();
    this.context.upgrades.goAway(this.context.now(), deadlineMs);
    await this.emptied(deadlineMs);
    clearInterval(this.ticker);
    this.context.upstreams.closeIdle();
    this.context.sessions.close();
  }

  /** Ends what is due, a little at a time: between two turns of the event loop others are served. */
  private expire(): void {
    const { deadlines, now } = this.context;
    if (this.expiring !== undefined || !deadlines.advance(now())) return;
    this.expiring = setImmediate(this.goOnExpiring);
  }

  private readonly goOnExpiring = (): void => {
    this.expiring = undefined;
    this.expire();
  };

  private emptied(deadlineMs: number): Promise<void> {
    if (this.connections.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.onEmpty = resolve;
      setTimeout(() => {
        for (const connection of this.connections) connection.destroy();
        resolve();
      }, deadlineMs).unref();
    });
  }

  /** Without waiting for a request: a gateway at its limit has no room for one. */
  private refuse(socket: Socket): void {
    const requestId = this.context.newRequestId();
    const connection = 'connection: close\r\n';
    socket.on('error', () => socket.destroy());
    socket.end(problemResponse('overloaded', '', { requestId, connection, toHead: false }), 'latin1');
    socket.setTimeout(REFUSED_LINGER_MS, () => socket.destroy());
    // Discards what the client sends, so that closing does not reset the connection before it has read the answer.
    socket.resume();
  }
}
