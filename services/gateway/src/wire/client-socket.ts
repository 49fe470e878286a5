import type { Socket } from 'node:net';
import type { Endpoint } from '../proxy-protocol/parse.ts';
import { readTls, resetSocket } from '../tls/tls-socket.ts';
import { adoptSocket } from './adopt-socket.ts';
import { Deadline, type Expirable } from './deadlines.ts';
import type { LaneContext } from './lane-context.ts';
import { Output } from './output.ts';
import { plainAddress } from './peer.ts';
import { type Lifetime, ReadTarget } from './read-buffers.ts';

/** How long a connection that we closed may go on sending, so that it gets to read our last answer before a reset. */
const LINGER_MS = 2000;
/** How long a tunnel is silent before the kernel asks whether the client still exists. */
const KEEP_ALIVE_DELAY_MS = 30_000;
/** How long a client that has stopped sending may go without getting a byte before it counts as gone. */
const HALF_CLOSE_GRACE_MS = 1000;

/** What a client's socket reports. */
export interface ClientSocketUser {
  /** `bytes[0..length)` have been read. */
  onBytes(bytes: Buffer, length: number, lifetime: Lifetime): void;
  /** The client will send nothing more, but may still read. */
  onHalfClosed(): void;
  /** The connection is gone, by whatever way. Nothing is reported after it. */
  onGone(): void;
  /** The client has taken all that was written. */
  onUnblocked(): void;
  /** The time given by `expireAt` has come. */
  onExpired(nowMs: number): void;
}

/** A client's TCP connection: when it is read, when it has to be given up, and how it ends without losing an answer. */
export class ClientSocket implements Expirable {
  readonly output: Output;
  /** Where reads go, unless the connection speaks TLS or has to be read as a stream. */
  private readonly target: ReadTarget;
  /** We have sent our last byte; what still comes is thrown away. */
  closing = false;
  /** The client has sent its last byte. */
  halfClosed = false;
  private readonly socket: Socket;
  private readonly lane: LaneContext;
  /** Its connection is a tunnel: how long which end is waited for is the tunnel's business. */
  tunnelled = false;
  user: ClientSocketUser;
  private readonly deadline = new Deadline(this);
  private paused = false;
  private detached = false;
  /** What the client had taken when it was last looked at after it half closed. */
  private takenBytes = -1;

  constructor(accepted: Socket, lane: LaneContext, user: ClientSocketUser) {
    this.lane = lane;
    this.user = user;
    this.target = new ReadTarget(lane.upstreams.buffers);
    const adopted = readTls(accepted, this.onTlsRead)
      ? accepted
      : adoptSocket(accepted, this.target.next, this.onRead);
    const socket = adopted ?? accepted;
    this.socket = socket;
    this.output = new Output(socket, lane.counters, () => this.user.onUnblocked());
    // A client may stop sending and still wait for the answer.
    socket.allowHalfOpen = true;
    socket.setNoDelay(true);
    if (adopted === undefined) socket.on('data', this.onData);
    socket.on('end', this.onEnd);
    socket.on('error', this.onError);
    socket.on('close', this.onClose);
    this.expireAt(lane.now() + lane.table.policy.timeouts.requestHeaderMs);
  }

  /** The two ends of the connection. */
  get remote(): Endpoint {
    return endpoint(this.socket.remoteAddress, this.socket.remotePort);
  }

  get local(): Endpoint {
    return endpoint(this.socket.localAddress, this.socket.localPort);
  }

  /** Moves the time at which `onExpired` is called; Infinity = never. */
  expireAt(dueMs: number): void {
    if (this.halfClosed && !this.tunnelled) this.grantGrace(this.lane.now());
    else this.lane.deadlines.arm(this.deadline, dueMs);
  }

  setPaused(paused: boolean): void {
    if (paused === this.paused) return;
    this.paused = paused;
    if (paused) this.socket.pause();
    else this.socket.resume();
  }

  /** Makes it one end of a tunnel, which is told everything from now on. */
  tunnelTo(user: ClientSocketUser): void {
    this.user = user;
    this.tunnelled = true;
    this.socket.setKeepAlive(true, KEEP_ALIVE_DELAY_MS);
  }

  /** Sends no more after what was written; the client may go on. */
  end(): void {
    if (!this.closing) this.socket.end();
  }

  /** Ends the connection after what was written, and gives the client time to read it (RFC 9112 section 9.6). */
  close(): void {
    if (this.closing) return;
    this.closing = true;
    // It is read on, to see it end, although what the other end of a tunnel has to take may lie in the buffer.
    if (this.tunnelled) this.target.abandon();
    this.setPaused(false);
    this.lane.deadlines.arm(this.deadline, this.lane.now() + this.lane.table.policy.timeouts.idleMs);
    this.socket.end(this.onFinished);
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Ends the connection so that the client cannot take it for the regular end of a response. */
  reset(): void {
    resetSocket(this.socket);
  }

  /** Gives the socket away, paused and without a trace of this lane. */
  detach(): Socket {
    const { socket } = this;
    socket.pause();
    this.detached = true;
    this.output.detach();
    socket.off('data', this.onData);
    socket.off('end', this.onEnd);
    socket.off('error', this.onError);
    socket.off('close', this.onClose);
    this.lane.deadlines.remove(this.deadline);
    return socket;
  }

  expire(nowMs: number): void {
    if (this.closing) this.destroy();
    else if (!this.halfClosed || this.tunnelled) this.user.onExpired(nowMs);
    else if (this.output.takenBytes !== this.takenBytes) this.grantGrace(nowMs);
    else this.destroy();
  }

  /** A client that half closed has mostly left: it stays only as long as it takes what is sent to it. */
  private grantGrace(nowMs: number): void {
    const { idleMs } = this.lane.table.policy.timeouts;
    this.takenBytes = this.output.takenBytes;
    const graceMs = this.output.queued ? idleMs : HALF_CLOSE_GRACE_MS;
    this.lane.deadlines.arm(this.deadline, nowMs + graceMs);
  }

  private readonly onRead = (length: number, bytes: Buffer): boolean => {
    const more = this.read(length, bytes, this.target.lifetime);
    if (!this.detached) this.target.afterRead(length);
    return more;
  };

  /** Pausing does not hold back what has been decrypted already, so nothing may wait in the buffer that is read into. */
  private readonly onTlsRead = (length: number, bytes: Buffer): boolean => this.read(length, bytes, 'call');

  private read(length: number, bytes: Buffer, lifetime: Lifetime): boolean {
    // From its next owner's view it is a socket like any other.
    if (this.detached) return this.socket.push(Buffer.from(bytes.subarray(0, length)));
    this.lane.counters.bytesIn += length;
    if (!this.closing) this.user.onBytes(bytes, length, lifetime);
    return true;
  }

  private readonly onData = (chunk: Buffer): void => {
    this.lane.counters.bytesIn += chunk.length;
    if (!this.closing) this.user.onBytes(chunk, chunk.length, 'ever');
  };

  private readonly onEnd = (): void => {
    this.halfClosed = true;
    if (this.closing) return;
    if (!this.tunnelled) this.grantGrace(this.lane.now());
    this.user.onHalfClosed();
  };

  private readonly onFinished = (): void => {
    this.lane.deadlines.arm(this.deadline, this.lane.now() + LINGER_MS);
  };

  private readonly onError = (): void => {
    // 'close' always follows and tells the user.
  };

  private readonly onClose = (): void => {
    this.lane.deadlines.remove(this.deadline);
    this.user.onGone();
  };
}

/** Without an address once the connection is gone. */
function endpoint(address = '', port = 0): Endpoint {
  return { address: plainAddress(address), port };
}
