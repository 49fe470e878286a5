import type { Socket } from 'node:net';
import type { Endpoint } from '../routing-table.ts';
import type { Address } from '../table/addresses.ts';
import { Deadline, type DeadlineWheel, type Expirable } from './deadlines.ts';
import type { Dialler } from './dialler.ts';
import { Output, type OutputTally } from './output.ts';
import { type ReadBuffers, ReadTarget } from './read-buffers.ts';
import type { Upstream, UpstreamUser } from './upstream.ts';

/** Where a connection goes when its request is done, and how it leaves. */
export interface UpstreamHome {
  readonly deadlines: DeadlineWheel;
  readonly buffers: ReadBuffers;
  readonly dialler: Dialler;
  readonly tally: OutputTally;
  putIdle(connection: UpstreamConnection): void;
  dropIdle(connection: UpstreamConnection): void;
}

/** One connection to a backend: used by one request at a time, watched while idle. */
export class UpstreamConnection implements Upstream, Expirable {
  readonly endpoint: Endpoint;
  readonly output: Output;
  readonly deadline = new Deadline(this);
  connected = false;
  /** It served a request before: the backend may have closed it at the very moment it is used again. */
  reused = false;
  private user: UpstreamUser | undefined;
  private readonly home: UpstreamHome;
  private readonly socket: Socket;
  private readonly address: Address | undefined;
  private readonly target: ReadTarget;
  private paused = false;

  constructor(
    endpoint: Endpoint,
    user: UpstreamUser,
    home: UpstreamHome,
    connectBeforeMs: number,
    preface: string,
  ) {
    this.endpoint = endpoint;
    this.user = user;
    this.home = home;
    this.target = new ReadTarget(home.buffers);
    const { socket, address, ready } = home.dialler.dial(endpoint, {
      preface,
      onread: {
        buffer: this.target.next,
        callback: (length, bytes) => this.onRead(length, bytes as Buffer),
      },
    });
    this.socket = socket;
    this.address = address;
    socket.on(ready, () => this.onConnect());
    this.output = new Output(this.socket, home.tally, () => this.user?.onUpstreamUnblocked());
    this.socket.on('end', () => this.onEnd());
    // 'close' always follows and tells the user. TLS on top of another socket tells the same failure twice.
    let failed = false;
    this.socket.on('error', (error) => {
      if (!this.connected && !failed) home.dialler.failed(endpoint, address, error);
      failed = true;
    });
    this.socket.on('close', () => this.onClose());
    home.deadlines.arm(this.deadline, connectBeforeMs);
  }

  /** Nothing keeps it from serving another request: it is open both ways, nothing waits to be written, its address is in use. */
  get isReusable(): boolean {
    const { socket } = this;
    if (this.address?.gone === true) return false;
    return !socket.destroyed && socket.writable && socket.writableLength === 0 && !socket.readableEnded;
  }

  pause(): void {
    if (this.paused) return;
    this.paused = true;
    this.socket.pause();
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.socket.resume();
  }

  /** Gives an idle connection to the next request. */
  assign(user: UpstreamUser): void {
    this.user = user;
    this.reused = true;
    this.deadline.dueMs = Infinity;
  }

  /** The request is done and the connection can serve another. `queued`: bytes of its buffer still wait to be written. */
  release(idleUntilMs: number, queued: boolean): void {
    this.user = undefined;
    if (queued) this.target.abandon();
    this.resume();
    this.home.deadlines.arm(this.deadline, idleUntilMs);
    this.home.putIdle(this);
  }

  /** Makes it one end of a tunnel: it stays the user's, and its two directions end apart. */
  tunnelTo(user: UpstreamUser): void {
    this.user = user;
    this.socket.allowHalfOpen = true;
  }

  /** Sends no more after what was written; the backend may go on. */
  end(): void {
    this.socket.end();
  }

  /** Sends no more, and what still comes is for nobody, although bytes of its buffer may wait to be written. */
  finish(): void {
    this.target.abandon();
    this.resume();
    this.socket.end();
  }

  /** Lets what was written leave until `untilMs`; nobody is told what becomes of it. */
  leave(untilMs: number): void {
    this.user = undefined;
    this.socket.end();
    this.home.deadlines.arm(this.deadline, untilMs);
  }

  /** Closes it at once; nobody is told. */
  destroy(): void {
    this.user = undefined;
    this.socket.destroy();
  }

  expire(): void {
    const { user } = this;
    if (user === undefined) this.home.dropIdle(this);
    else this.home.dialler.failed(this.endpoint, this.address, 'timeout');
    this.destroy();
    user?.onLost('connect_timeout', false);
  }

  private onConnect(): void {
    this.connected = true;
    this.deadline.dueMs = Infinity;
    this.user?.onConnected();
  }

  private onRead(length: number, bytes: Buffer): boolean {
    const { user } = this;
    if (user === undefined) {
      // A backend has nothing to say on an idle connection; whatever it is, it must not become the next answer.
      this.home.dropIdle(this);
      this.destroy();
      return true;
    }
    user.onResponseData(bytes, length, this.target.lifetime);
    this.target.afterRead(length);
    return true;
  }

  private onEnd(): void {
    const { user } = this;
    if (user !== undefined) {
      user.onResponseEnd();
      return;
    }
    this.home.dropIdle(this);
    this.destroy();
  }

  private onClose(): void {
    this.target.share();
    this.home.deadlines.remove(this.deadline);
    const { user } = this;
    if (user === undefined) {
      this.home.dropIdle(this);
      return;
    }
    this.user = undefined;
    user.onLost(this.connected ? 'backend_closed' : 'connect_failed', false);
  }
}
