import type { Hold } from '../routing-table.ts';
import type { ClientSocket, ClientSocketUser } from './client-socket.ts';
import { FrameBoundaries } from './frame-boundaries.ts';
import type { LaneContext } from './lane-context.ts';
import type { Output } from './output.ts';
import type { Lifetime } from './read-buffers.ts';
import type { UpstreamUser } from './upstream.ts';
import type { UpstreamConnection } from './upstream-connection.ts';
import { GOING_AWAY_TO_BACKEND, GOING_AWAY_TO_CLIENT } from './websocket.ts';

/** How long a backend may take to receive what is still queued for it when the client has gone. */
const LINGER_MS = 2000;

/** One way through a tunnel. */
class Direction {
  readonly frames = new FrameBoundaries();
  /** Nothing more goes this way; what still comes is thrown away. */
  over = false;
  readonly output: Output;
  readonly goodbye: Buffer;

  constructor(output: Output, goodbye: Buffer) {
    this.output = output;
    this.goodbye = goodbye;
  }

  pass(bytes: Buffer, length: number, lifetime: Lifetime, leaving: boolean): void {
    if (this.over) return;
    const boundary = this.frames.follow(bytes, length);
    const goes = leaving && boundary >= 0;
    this.output.part(bytes, 0, goes ? boundary : length, lifetime);
    if (goes) this.end();
  }

  /** Ends it with a close frame if a frame has just ended; inside a frame it would be taken for a part of that. */
  endAtBoundary(): void {
    if (!this.over && this.frames.atBoundary) this.end();
  }

  private end(): void {
    this.over = true;
    this.output.bytes(this.goodbye);
  }
}

/**
 * A WebSocket: bytes both ways between a client and a backend, as fast as the slower end takes them, until both have
 * ended or one is lost. Of what passes it knows only where frames end, so that it can say goodbye between two of them.
 */
export class Tunnel implements ClientSocketUser, UpstreamUser {
  private readonly lane: LaneContext;
  private readonly link: ClientSocket;
  private readonly upstream: UpstreamConnection;
  private readonly hold: Hold;
  private readonly onOver: () => void;
  private readonly toClient: Direction;
  private readonly toBackend: Direction;
  private leaving = false;
  private leaveAtMs = Infinity;

  /** Both ends are the tunnel's from now on, and so is its place on the backend. `onOver`: called once, when the client is gone. */
  constructor(
    lane: LaneContext,
    link: ClientSocket,
    upstream: UpstreamConnection,
    hold: Hold,
    onOver: () => void,
  ) {
    this.lane = lane;
    this.link = link;
    this.upstream = upstream;
    this.hold = hold;
    this.onOver = onOver;
    this.toClient = new Direction(link.output, GOING_AWAY_TO_CLIENT);
    this.toBackend = new Direction(upstream.output, GOING_AWAY_TO_BACKEND);
    lane.upgrades.opened(this);
    link.tunnelTo(this);
    upstream.tunnelTo(this);
    link.setPaused(false);
    if (lane.draining) this.leaveAtMs = lane.now();
    this.waitOn();
  }

  /** From then on it ends as soon as it is between two frames. */
  goAwayAt(dueMs: number): void {
    this.leaveAtMs = dueMs;
    this.waitOn();
  }

  onBytes(bytes: Buffer, length: number, lifetime: Lifetime): void {
    this.waitOn();
    this.toBackend.pass(bytes, length, lifetime, this.leaving);
    if (this.leaving && this.closeWhenSaid()) return;
    if (this.toBackend.output.blocked) this.link.setPaused(true);
  }

  onResponseData(bytes: Buffer, length: number, lifetime: Lifetime): void {
    this.waitOn();
    this.toClient.pass(bytes, length, lifetime, this.leaving);
    if (this.leaving && this.closeWhenSaid()) return;
    if (this.toClient.output.blocked) this.upstream.pause();
  }

  onUnblocked(): void {
    this.upstream.resume();
  }

  onUpstreamUnblocked(): void {
    this.link.setPaused(false);
  }

  onHalfClosed(): void {
    this.toBackend.over = true;
    this.upstream.end();
  }

  onResponseEnd(): void {
    this.toClient.over = true;
    this.link.end();
  }

  onExpired(nowMs: number): void {
    const idle = nowMs < this.leaveAtMs;
    this.leaving = true;
    this.leaveAtMs = Infinity;
    this.toClient.endAtBoundary();
    this.toBackend.endAtBoundary();
    if (this.closeWhenSaid()) return;
    // Who stopped inside a frame so long ago will not finish it.
    if (idle) this.link.destroy();
    else this.waitOn();
  }

  onLost(): void {
    if (this.toClient.over) this.link.close();
    else this.link.reset();
  }

  onGone(): void {
    const { lane, upstream } = this;
    if (this.toClient.over && this.toBackend.over) upstream.leave(lane.now() + LINGER_MS);
    else upstream.destroy();
    this.hold.release();
    lane.upgrades.closed(this);
    this.onOver();
  }

  /** Only a connection that is no tunnel yet is still to be made. */
  onConnected(): void {}

  private waitOn(): void {
    const { lane } = this;
    this.link.expireAt(Math.min(lane.now() + lane.table.policy.timeouts.upgradeIdleMs, this.leaveAtMs));
  }

  /** Closes both ends once nothing more goes either way; true if so. */
  private closeWhenSaid(): boolean {
    if (!this.toClient.over || !this.toBackend.over) return false;
    this.link.close();
    this.upstream.finish();
    return true;
  }
}
