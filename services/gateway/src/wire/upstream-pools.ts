import type { BackendSlot } from '../routing-table.ts';
import type { DeadlineWheel } from './deadlines.ts';
import type { Dialler } from './dialler.ts';
import { ReadBuffers } from './read-buffers.ts';
import type { Upstreams, UpstreamUser } from './upstream.ts';
import { UpstreamConnection, type UpstreamHome } from './upstream-connection.ts';

/**
 * The connections to all backends that wait for a request, per address. The one used last is used next: its buffers are
 * warm, and what a burst left over grows old and goes.
 */
export class UpstreamPools implements Upstreams, UpstreamHome {
  readonly deadlines: DeadlineWheel;
  readonly dialler: Dialler;
  readonly buffers = new ReadBuffers();
  /** Bytes written to backends. */
  readonly tally = { bytesOut: 0 };
  private readonly idle = new Map<BackendSlot, UpstreamConnection[]>();

  constructor(deadlines: DeadlineWheel, dialler: Dialler) {
    this.deadlines = deadlines;
    this.dialler = dialler;
  }

  /** An idle connection, now the user's; undefined when there is none. */
  take(slot: BackendSlot, user: UpstreamUser): UpstreamConnection | undefined {
    const stack = this.idle.get(slot);
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
  open(slot: BackendSlot, user: UpstreamUser, connectBeforeMs: number, preface: string): UpstreamConnection {
    return new UpstreamConnection(slot, user, this, connectBeforeMs, preface);
  }

  putIdle(connection: UpstreamConnection): void {
    const stack = this.idle.get(connection.slot);
    if (stack === undefined) this.idle.set(connection.slot, [connection]);
    else stack.push(connection);
  }

  /** Forgets a connection if it is idle. */
  dropIdle(connection: UpstreamConnection): void {
    const stack = this.idle.get(connection.slot);
    const at = stack?.indexOf(connection) ?? -1;
    if (stack === undefined || at < 0) return;
    stack.splice(at, 1);
    if (stack.length === 0) this.idle.delete(connection.slot);
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
