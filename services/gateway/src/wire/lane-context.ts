import type { Duplex } from 'node:stream';
import type { RequestHead, ResponseHead } from '@usher/http1';
import type { Log } from '@usher/ports';
import type { Admission } from '../admission/admission.ts';
import type { BackendSessions } from '../h2/backend-sessions.ts';
import type { Mirrors } from '../mirror/mirrors.ts';
import type { RoutingTable } from '../routing-table.ts';
import type { BackendFaultLog } from './backend-fault-log.ts';
import type { ClientCensus } from './client-census.ts';
import type { Locate } from './client-place.ts';
import type { WireCounters } from './counters.ts';
import type { DeadlineWheel } from './deadlines.ts';
import type { DebugToken } from './debug-token.ts';
import type { Dialler } from './dialler.ts';
import type { Peer, PeerDirectory } from './peer.ts';
import type { Upgrades } from './upgrades.ts';
import type { UpstreamPools } from './upstream-pools.ts';

/** What the composition of a worker gives its wire lane. */
export interface WireLaneOptions {
  readonly table: RoutingTable;
  /** Milliseconds since the epoch, with fractions where the clock has them; called twice per request. */
  readonly now: () => number;
  /** A new id for a request that brings none: a token that is unique in the fleet. */
  newRequestId(): string;
  /** Takes over a connection whose next request is for the plugin lane. The socket is paused; `head` is what was read of it, which goes back with `unshift`; `client` is whom it is for. */
  handOver(socket: Duplex, head: Buffer, client: Peer): void;
  readonly counters: WireCounters;
  /** Whether requests are served at all. */
  readonly admission: Admission;
  readonly dialler: Dialler;
  /** Absent = nobody is told more than others. */
  readonly debug?: DebugToken | undefined;
  /** Where addresses are. */
  readonly locate: Locate;
  readonly log: Log;
  /** How many workers share `limits.connections`. */
  readonly workers: number;
}

/** What all exchanges of one lane share, those of copies too. One thread runs them, so one scratch head per direction is enough. */
export interface ExchangeContext extends WireLaneOptions {
  readonly deadlines: DeadlineWheel;
  readonly upstreams: UpstreamPools;
  /** To backends that are spoken to in HTTP/2. */
  readonly sessions: BackendSessions;
  readonly peers: PeerDirectory;
  readonly census: ClientCensus;
  readonly badResponses: BackendFaultLog;
  readonly upgrades: Upgrades;
  readonly requestHead: RequestHead;
  readonly responseHead: ResponseHead;
  /** No connection is kept for another request any more. */
  leaving: boolean;
  /** No connection comes any more, and WebSockets are told to go. */
  draining: boolean;
}

/** What all connections of one lane share. */
export interface LaneContext extends ExchangeContext {
  readonly mirrors: Mirrors;
}
