import type { Socket } from 'node:net';
import type { RequestHead, ResponseHead } from '@usher/http1';
import type { Log } from '@usher/ports';
import type { RoutingTable } from '../routing-table.ts';
import type { BackendFaultLog } from './backend-fault-log.ts';
import type { WireCounters } from './counters.ts';
import type { DeadlineWheel } from './deadlines.ts';
import type { Dialler } from './dialler.ts';
import type { PeerDirectory } from './peer.ts';
import type { UpstreamPools } from './upstream-pools.ts';

/** What the composition of a worker gives its wire lane. */
export interface WireLaneOptions {
  readonly table: RoutingTable;
  /** Milliseconds since the epoch, with fractions where the clock has them; called twice per request. */
  readonly now: () => number;
  /** A new id for a request that brings none: a token that is unique in the fleet. */
  newRequestId(): string;
  /** Takes over a connection whose next request is for the plugin lane. The socket is paused; `head` is what was read of it, which goes back with `unshift`. */
  handOver(socket: Socket, head: Buffer): void;
  readonly counters: WireCounters;
  readonly dialler: Dialler;
  readonly log: Log;
  /** How many workers share `limits.connections`. */
  readonly workers: number;
}

/** What all connections of one lane share. One thread runs them, so one scratch head per direction is enough. */
export interface LaneContext extends WireLaneOptions {
  readonly deadlines: DeadlineWheel;
  readonly upstreams: UpstreamPools;
  readonly peers: PeerDirectory;
  readonly badResponses: BackendFaultLog;
  readonly requestHead: RequestHead;
  readonly responseHead: ResponseHead;
  /** No connection is kept for another request any more. */
  draining: boolean;
}
