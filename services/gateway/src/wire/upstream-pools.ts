import type { Endpoint } from '../routing-table.ts';
import type { DeadlineWheel } from './deadlines.ts';
import type { Dialler } from './dialler.ts';
import { ReadBuffers } from './read-buffers.ts';
import type { Upstreams, UpstreamUser } from './upstream.ts';
import { UpstreamConnection, type UpstreamHome } from './upstream-connection.ts';

/**
 * The connections to all backends that wait for a request, per endpoint. The one used last is used next: its buffers are
 * warm, and what a burst left over grows old and goes.
 */
export class UpstreamPools implements Upstreams, UpstreamHome {
  readonly deadlines: DeadlineWheel;
  readonly dialler: Dialler;
  readonly buffers = new ReadBuffers();
  /** Bytes written to backends. */
  readonly tally = { bytesOut: 0 };
  private readonly idle = new Map<Endpoint, UpstreamConnection[]>();

  constructor(deadlines: DeadlineWheel, dialler: Dialler) {
    this.deadlines = deadlines;
    this.dialler = dialler;
  }

  /** An idle connection, now the user's; undefined when there is none. */
  take(endpoint: Endpoint, user: UpstreamUser): UpstreamConnection | undefined {
    const stack = this.idle.get(endpoint);
    if (stack === undefined) return undefined;
    for (let connection = stack.pop(); connection !== undefined; connection = stack.pop()) {
      if (connection.isReusable) {
        connection.assign(user);
        return connection;
      }
      connection.destroy();
    }
    return undefined;
  }

  /** Starts a new connection that begins with `preface`, latin1; the user hears of it when it stands. */
  open(endpoint: Endpoint, user: UpstreamUser, connectBeforeMs: number, preface: string): UpstreamConnection {
    return new UpstreamConnection(endpoint, user, this, connectBeforeMs, preface);
  }

  putIdle(connection: UpstreamConnection): void {
    const stack = this.idle.get(connection.endpoint);
    if (stack === undefined) this.idle.set(connection.endpoint, [connection]);
    else stack.push(connection);
  }

  /** Forgets a connection if it is idle. */
  dropIdle(connection: UpstreamConnection): void {
    const stack = this.idle.get(connection.endpoint);
    const at = stack?.indexOf(connection) ?? -1;
    if (stack === undefined || at < 0) return;
    stack.splice(at, 1);
    if (stack.length === 0) this.idle.delete(connection.endpoint);
  }

  get idleCount(): number {
    let count = 0;
    for (const stack of this.idle.values()) count += stack.length;
    return count;
  }

  /** Closes what waits on an address that its host has no more. */
  closeGone(): void {
    for (const stack of this.idle.values()) {
      for (const connection of stack.filter(({ isReusable }) => !isReusable)) {
        this.dropIdle(connection);
        connection.destroy();
      }
    }
  }

  closeIdle(): void {
    for (const stack of this.idle.values()) for (const connection of stack) connection.destroy();
    this.idle.clear();
  }
}
