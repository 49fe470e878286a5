import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Endpoint } from '../routing-table.ts';
import type { Address } from '../table/addresses.ts';
import { Deadline, type DeadlineWheel, type Expirable } from '../wire/deadlines.ts';
import type { Dialler } from '../wire/dialler.ts';
import type { BackendStream } from './backend-stream.ts';
import type { FieldList } from './response-fields.ts';

/** Requests on one session before the backend has said how many it takes; more would wait in line behind one another. */
const STREAMS_MAX = 100;
/** So much of a body a backend may send ahead of its client: per stream, and in all. */
const STREAM_WINDOW_BYTES = 256 * 1024;
const SESSION_WINDOW_BYTES = 4 * 1024 * 1024;
const MEMORY_MB_MAX = 64;
/**
 * How often a session with requests is asked whether it still lives. Servers of gRPC take more than one ping in five
 * minutes for abuse.
 */
const PING_MS = 310_000;

/** What a session needs of those around it. */
export interface SessionHome {
  readonly deadlines: DeadlineWheel;
  readonly dialler: Dialler;
  readonly now: () => number;
  forget(session: BackendSession): void;
}

/** One HTTP/2 connection to a backend, shared by requests. */
export class BackendSession implements Expirable {
  readonly endpoint: Endpoint;
  connected = false;
  private readonly home: SessionHome;
  private readonly socket: Socket;
  private readonly address: Address | undefined;
  private readonly session: ClientHttp2Session;
  private readonly deadline = new Deadline(this);
  /** Those that wait for the connection. */
  private waiting = new Set<BackendStream>();
  private open = 0;
  private idleUntilMs = Infinity;
  /** The last ping has not been answered. */
  private pinged = false;
  private retired = false;
  /** The last stream that the backend will have processed, once it has said so. */
  private lastStreamId = Infinity;

  constructor(endpoint: Endpoint, home: SessionHome, connectBeforeMs: number) {
    this.endpoint = endpoint;
    this.home = home;
    const { socket, address, ready } = home.dialler.dial(endpoint, { protocols: ['h2'] });
    this.socket = socket;
    this.address = address;
    socket.on('error', (error) => {
      if (!this.connected) home.dialler.failed(endpoint, address, error);
    });
    const options = {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: STREAM_WINDOW_BYTES },
      peerMaxConcurrentStreams: STREAMS_MAX,
      maxSessionMemory: MEMORY_MB_MAX,
      strictSingleValueFields: false,
    };
    this.session = connect(
      `${endpoint.tls === undefined ? 'http' : 'https'}://${endpoint.authority}`,
      options,
    );
    socket.once(ready, () => this.onConnect());
    this.session.on('goaway', (_code, lastStreamId) => this.onGoaway(lastStreamId));
    // 'close' always follows.
    this.session.on('error', () => {});
    this.session.on('close', () => this.onClose());
    home.deadlines.arm(this.deadline, connectBeforeMs);
  }

  /** Another request may use it. */
  get hasRoom(): boolean {
    if (this.gone || this.over) return false;
    const most = this.connected
      ? (this.session.remoteSettings.maxConcurrentStreams ?? STREAMS_MAX)
      : STREAMS_MAX;
    return this.open + this.waiting.size < most;
  }

  /** It takes no more requests. */
  get over(): boolean {
    return this.retired || this.session.closed || this.session.destroyed;
  }

  /** Its address is none of its host's any more. */
  get gone(): boolean {
    return this.address?.gone === true;
  }

  /** Tells `stream` when the connection stands, or that it never will. */
  await(stream: BackendStream): void {
    this.waiting.add(stream);
  }

  /** Takes back what `await` was told. */
  leave(stream: BackendStream): void {
    this.waiting.delete(stream);
  }

  /** Begins a request. */
  request(fields: FieldList, bare: boolean, waitForTrailers: boolean): ClientHttp2Stream {
    this.open += 1;
    this.idleUntilMs = Infinity;
    if (this.open === 1) this.home.deadlines.arm(this.deadline, this.home.now() + PING_MS);
    const stream = this.session.request(fields, { endStream: bare, waitForTrailers });
    stream.on('close', () => this.onStreamClosed());
    return stream;
  }

  /** The backend will not look at the request of this stream. */
  ignores(stream: ClientHttp2Stream): boolean {
    const refused = stream.rstCode === constants.NGHTTP2_REFUSED_STREAM;
    return refused || stream.id === undefined || stream.id > this.lastStreamId;
  }

  /** It may go when no request has used it until then. */
  idleUntil(dueMs: number): void {
    this.idleUntilMs = dueMs;
  }

  /** Takes no more requests, and closes when those under way are done. */
  retire(): void {
    this.retired = true;
    this.home.forget(this);
    this.session.close();
  }

  destroy(): void {
    this.session.destroy();
    this.socket.destroy();
  }

  expire(nowMs: number): void {
    if (!this.connected) {
      this.home.dialler.failed(this.endpoint, this.address, 'timeout');
      this.failAll('connect_timeout');
      this.destroy();
    } else if (this.open === 0) {
      this.retire();
    } else if (this.pinged) {
      this.destroy();
    } else {
      this.pinged = true;
      this.session.ping(() => (this.pinged = false));
      this.home.deadlines.arm(this.deadline, nowMs + PING_MS);
    }
  }

  private onConnect(): void {
    if (this.socket instanceof TLSSocket && this.socket.alpnProtocol !== 'h2') {
      const error = new Error('the backend does not speak HTTP/2');
      this.home.dialler.failed(this.endpoint, this.address, error);
      this.destroy();
      return;
    }
    this.connected = true;
    this.session.setLocalWindowSize(SESSION_WINDOW_BYTES);
    this.deadline.dueMs = Infinity;
    const { waiting } = this;
    this.waiting = new Set();
    for (const stream of waiting) stream.onConnected();
  }

  private onGoaway(lastStreamId: number): void {
    this.lastStreamId = lastStreamId;
    this.retired = true;
    this.home.forget(this);
  }

  private onStreamClosed(): void {
    this.open -= 1;
    if (this.open > 0 || this.session.destroyed) return;
    const dueMs = this.idleUntilMs === Infinity ? this.home.now() + PING_MS : this.idleUntilMs;
    this.home.deadlines.arm(this.deadline, dueMs);
  }

  private failAll(loss: 'connect_failed' | 'connect_timeout'): void {
    const { waiting } = this;
    this.waiting = new Set();
    // Those that try again must not find it.
    this.retired = true;
    this.home.forget(this);
    for (const stream of waiting) stream.onNoConnection(loss);
  }

  private onClose(): void {
    this.home.deadlines.remove(this.deadline);
    this.failAll('connect_failed');
  }
}
