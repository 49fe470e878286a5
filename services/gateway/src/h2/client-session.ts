import { performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { FIELD_LINES_MAX } from '@usher/http1';
import type { Endpoint } from '../proxy-protocol/parse.ts';
import type { ConnectionOwner, LaneConnection, LooseSocket } from '../wire/connection-owner.ts';
import { Deadline, type Expirable } from '../wire/deadlines.ts';
import type { LaneContext } from '../wire/lane-context.ts';
import { LastHost } from '../wire/last-host.ts';
import { plainAddress } from '../wire/peer.ts';
import type { Ends, Visitor } from '../wire/visitor.ts';
import { ClientStream, type StreamHome } from './client-stream.ts';

/** Requests that a client may have under way. */
const STREAMS_MAX = 128;
/** So much of a body a client may send ahead of its backend: per stream, and in all. */
const STREAM_WINDOW_BYTES = 256 * 1024;
const SESSION_WINDOW_BYTES = 1024 * 1024;
/** What RFC 9113 section 6.5.2 adds to the length of each field. */
const FIELD_OVERHEAD_BYTES = 32;
/** Frames that are invalid, streams beyond the maximum: more than a careless client makes. */
const FAULTS_MAX = 100;
/** Streams that a client may reset at once, and per second in the long run (CVE-2023-44487). */
const RESETS_MAX = 200;
const RESETS_PER_S = 50;
const MEMORY_MB_MAX = 32;
/** Streams that are on their way when a client is told to open no more still count (RFC 9113 section 6.8). */
const STREAM_ID_MAX = 2 ** 31 - 1;
const FAREWELL_MS = 100;
/** How long a session may take to close when it has nothing more to do. */
const LINGER_MS = 2000;

const END_STREAM = 1;

/** One client connection that speaks HTTP/2. */
export class ClientSession implements LaneConnection, StreamHome, Expirable {
  readonly lane: LaneContext;
  readonly visitor: Visitor;
  readonly ends: Ends;
  private readonly socket: Socket;
  private readonly owner: ConnectionOwner;
  private readonly session: ServerHttp2Session;
  private readonly deadline = new Deadline(this);
  private readonly lastHost = new LastHost();
  private open = 0;
  private served = 0;
  private closing = false;

  constructor({ socket, bytes }: LooseSocket, lane: LaneContext, owner: ConnectionOwner, visitor: Visitor) {
    this.lane = lane;
    this.owner = owner;
    this.visitor = visitor;
    this.socket = socket;
    this.ends = {
      remote: endpoint(socket.remoteAddress, socket.remotePort),
      local: endpoint(socket.localAddress, socket.localPort),
    };
    // A client that sends no more cannot even say what it has taken.
    socket.allowHalfOpen = false;
    socket.unshift(bytes);
    const { limits, timeouts } = lane.table.policy;
    const session = performServerHandshake(socket, {
      settings: {
        maxConcurrentStreams: STREAMS_MAX,
        initialWindowSize: STREAM_WINDOW_BYTES,
        // What is somewhat too long gets an answer, and only more than that a reset.
        maxHeaderListSize: 2 * limits.headerBytes + FIELD_OVERHEAD_BYTES * limits.headerCount,
      },
      maxHeaderListPairs: FIELD_LINES_MAX,
      maxSessionInvalidFrames: FAULTS_MAX,
      maxSessionRejectedStreams: FAULTS_MAX,
      maxSessionMemory: MEMORY_MB_MAX,
      streamResetBurst: RESETS_MAX,
      streamResetRate: RESETS_PER_S,
      strictSingleValueFields: false,
    });
    this.session = session;
    session.setLocalWindowSize(SESSION_WINDOW_BYTES);
    session.on('stream', this.onStream);
    // 'close' always follows.
    session.on('error', () => {});
    session.on('close', () => this.onClose());
    // Only after the session has taken what was read already.
    process.nextTick(() => socket.resume());
    lane.deadlines.arm(this.deadline, lane.now() + timeouts.requestHeaderMs);
  }

  comparableHost(host: string): string {
    return this.lastHost.toComparable(host);
  }

  closeIfIdle(): void {
    if (this.session.destroyed) return;
    this.session.goaway(0, STREAM_ID_MAX);
    this.closing = true;
    this.lane.deadlines.arm(this.deadline, this.lane.now() + FAREWELL_MS);
  }

  destroy(): void {
    this.session.destroy();
    this.socket.destroy();
  }

  streamClosed(): void {
    this.open -= 1;
    if (this.open > 0 || this.session.destroyed) return;
    const { timeouts } = this.lane.table.policy;
    this.lane.deadlines.arm(this.deadline, this.lane.now() + (this.closing ? FAREWELL_MS : timeouts.idleMs));
  }

  expire(nowMs: number): void {
    // A client that was told to go may say the same at once; its requests are served all the same.
    if (this.open > 0) {
      this.session.close();
    } else if (this.session.closed) {
      this.destroy();
    } else {
      this.session.close();
      this.lane.deadlines.arm(this.deadline, nowMs + LINGER_MS);
    }
  }

  private readonly onStream = (
    stream: ServerHttp2Stream,
    _headers: unknown,
    flags: number,
    fields: readonly string[],
  ): void => {
    this.open += 1;
    if (!this.closing) this.deadline.dueMs = Infinity;
    new ClientStream(this, stream, (flags & END_STREAM) !== 0).serve(fields);
    if (++this.served === this.lane.table.policy.limits.requestsPerConnection) this.session.close();
    // Another gateway may have memory for what comes next.
    else if (this.lane.admission.memoryLevel > 0 && !this.closing) this.closeIfIdle();
  };

  private onClose(): void {
    this.lane.deadlines.remove(this.deadline);
    this.visitor.leave();
    this.owner.closed(this);
  }
}

/** Without an address once the connection is gone. */
function endpoint(address = '', port = 0): Endpoint {
  return { address: plainAddress(address), port };
}
