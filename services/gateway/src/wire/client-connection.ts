import type { Socket } from 'node:net';
import { ERRORS, type ErrorCode } from '@usher/domain';
import { FAULTY, INCOMPLETE, type RequestHead } from '@usher/http1';
import type { RouteEntry } from '../routing-table.ts';
import type { ClientSide } from './client-side.ts';
import { ClientSocket, type ClientSocketUser } from './client-socket.ts';
import { Exchange } from './exchange.ts';
import { forwardRequestHead, requestIdOf } from './forward-request.ts';
import type { ConnectionLine } from './forward-response.ts';
import type { LaneContext } from './lane-context.ts';
import { OutgoingRequest } from './outgoing-request.ts';
import type { Output } from './output.ts';
import type { Peer } from './peer.ts';
import { problemResponse } from './problem-response.ts';
import type { Lifetime } from './read-buffers.ts';
import { RequestBody } from './request-body.ts';
import { RequestInput } from './request-input.ts';

/** So much of the next requests is read while one is in progress; then the client has to wait. */
const READ_AHEAD_BYTES_MAX = 64 * 1024;

/** Told when a connection is no longer the lane's. */
export interface ConnectionOwner {
  closed(connection: ClientConnection): void;
}

/** One client connection: its requests one after the other, and what happens between them. */
export class ClientConnection implements ClientSide, ClientSocketUser {
  readonly output: Output;
  private readonly link: ClientSocket;
  private readonly lane: LaneContext;
  private readonly owner: ConnectionOwner;
  private readonly peer: Peer;
  private readonly input = new RequestInput();
  private exchange: Exchange | undefined;
  /** Another request may follow the current one. */
  private keepAlive = true;
  /** The client of the current request has to be told so. */
  private sayKeepAlive = false;
  /** `serveNext` is running: what it calls need not call it. */
  private serving = false;
  /** The backend does not take the body as fast as it comes. */
  private bodyPaused = false;
  /** The host of the last request as received and in lower case: the next one mostly has the same. */
  private hostReceived = '';
  private hostLower = '';

  constructor(socket: Socket, lane: LaneContext, owner: ConnectionOwner) {
    this.lane = lane;
    this.owner = owner;
    this.peer = lane.peers.describe(socket, lane.table.policy.trustedProxies);
    this.link = new ClientSocket(socket, lane, this);
    this.output = this.link.output;
  }

  get connectionLine(): ConnectionLine {
    if (this.lane.draining) this.keepAlive = false;
    if (!this.keepAlive) return 'connection: close\r\n';
    return this.sayKeepAlive ? 'connection: keep-alive\r\n' : '';
  }

  /** For a drain: closes the connection now if there is no request on it. */
  closeIfIdle(): void {
    if (this.exchange === undefined && this.input.isEmpty) this.link.close();
  }

  destroy(): void {
    this.link.destroy();
  }

  closeAfterwards(): void {
    this.keepAlive = false;
  }

  expireAt(dueMs: number): void {
    this.link.expireAt(dueMs);
  }

  pauseBody(): void {
    this.bodyPaused = true;
    this.updateReading();
  }

  resumeBody(): void {
    if (!this.bodyPaused) return;
    this.bodyPaused = false;
    this.updateReading();
  }

  exchangeOver(nowMs: number): void {
    this.exchange = undefined;
    this.bodyPaused = false;
    const last = this.lane.draining || (this.link.halfClosed && this.input.isEmpty);
    if (last || !this.keepAlive) {
      this.link.close();
      return;
    }
    this.link.expireAt(nowMs + this.lane.table.policy.timeouts.idleMs);
    if (!this.input.isEmpty) this.serveNext();
    this.updateReading();
  }

  exchangeFailed(code: ErrorCode, detail: string, nowMs: number): void {
    const { exchange } = this;
    if (exchange === undefined) return;
    if (exchange.wantsBody) this.keepAlive = false;
    exchange.answers[(ERRORS[code].status / 100) | 0]! += 1;
    this.answerProblem(code, detail, exchange.requestId, exchange.toHead, nowMs - exchange.startMs);
    this.exchangeOver(nowMs);
  }

  abort(): void {
    this.exchange = undefined;
    this.link.reset();
  }

  onBytes(bytes: Buffer, length: number, lifetime: Lifetime): void {
    const { exchange, input } = this;
    let used = 0;
    if (exchange?.wantsBody === true) {
      used = exchange.onBodyData(bytes, length, lifetime);
      if (used === length) return;
    }
    input.feed(bytes, used, length, lifetime);
    if (this.exchange === undefined) this.serveNext();
    input.own();
    if (!input.isEmpty) this.updateReading();
  }

  onHalfClosed(): void {
    const { exchange } = this;
    // Half a request will never become a whole one.
    if (exchange?.wantsBody === true) this.link.destroy();
    // Most who stop sending have left, and nothing that is written would find out: none of them keeps others waiting.
    else if (exchange?.waits === true) this.link.destroy();
    else if (exchange === undefined && !this.output.blocked) this.link.close();
  }

  onGone(): void {
    const { exchange } = this;
    this.exchange = undefined;
    exchange?.onClientGone();
    this.input.clear();
    this.owner.closed(this);
  }

  onUnblocked(): void {
    if (this.exchange !== undefined) this.exchange.onClientUnblocked();
    else if (!this.link.closing) this.serveNext();
  }

  onExpired(nowMs: number): void {
    if (this.exchange !== undefined) this.exchange.expire(nowMs);
    else if (this.output.blocked) this.link.destroy();
    else if (this.input.inHead) this.refuse('request_timeout', '');
    else this.link.close();
  }

  /** Serves request after request as long as they are there and the client takes the answers. */
  private serveNext(): void {
    if (this.serving) return;
    this.serving = true;
    const { lane, input, link } = this;
    while (this.exchange === undefined && !link.closing && !this.output.blocked && !input.isEmpty) {
      const begun = input.inHead;
      const end = input.next(lane.table.policy.limits, lane.requestHead);
      if (end === FAULTY) {
        this.refuse(lane.requestHead.fault.code, lane.requestHead.fault.detail);
      } else if (end !== INCOMPLETE) {
        this.serve(lane.requestHead, end);
      } else {
        if (link.halfClosed) link.close();
        else if (!begun) link.expireAt(lane.now() + lane.table.policy.timeouts.requestHeaderMs);
        break;
      }
    }
    this.serving = false;
  }

  private serve(head: RequestHead, headEnd: number): void {
    const { lane, input } = this;
    const startMs = lane.now();
    if (!head.persistent) this.keepAlive = false;
    this.sayKeepAlive = head.minor === 0;
    const route = lane.table.match(this.hostOf(head), head.path);
    if (route?.lane === 'plugin') {
      this.handOver();
      return;
    }
    const id = requestIdOf(head) ?? lane.newRequestId();
    const body = RequestBody.of(head, lane.table.policy.limits.requestBodyBytes);
    let bodyEnd = headEnd;
    if (body !== undefined) {
      bodyEnd = body.take(input.bytes, headEnd, input.end);
      if (bodyEnd === FAULTY) {
        this.refuse(body.fault.code, body.fault.detail, id, head.method === 'HEAD', startMs);
        return;
      }
      body.keep(input.bytes, headEnd, bodyEnd, input.lifetime);
    }
    input.consume(bodyEnd);
    this.open(head, route, id, body, startMs);
  }

  private open(
    head: RequestHead,
    route: RouteEntry | undefined,
    id: string,
    body: RequestBody | undefined,
    startMs: number,
  ): void {
    const { lane } = this;
    if (route === undefined) {
      if (body !== undefined && !body.done) this.keepAlive = false;
      this.answerProblem('no_route', '', id, head.method === 'HEAD', lane.now() - startMs);
      this.exchangeOver(startMs);
      return;
    }
    const outgoing = new OutgoingRequest(forwardRequestHead(head, id, this.peer), head, body);
    const { pool, answers } = route;
    this.exchange = new Exchange(this, lane, head, { pool, answers, outgoing, id, startMs });
    this.exchange.start();
  }

  private hostOf(head: RequestHead): string {
    if (head.host !== this.hostReceived) {
      this.hostReceived = head.host;
      this.hostLower = head.host.toLowerCase();
    }
    return this.hostLower;
  }

  /** Answers what is no valid request, or not one that can be served here, and closes: what follows cannot be trusted. */
  private refuse(code: ErrorCode, detail: string, id?: string, toHead = false, startMs?: number): void {
    const { lane } = this;
    const nowMs = lane.now();
    if (ERRORS[code].status === 400) lane.counters.badRequests += 1;
    this.keepAlive = false;
    this.input.clear();
    this.answerProblem(code, detail, id ?? lane.newRequestId(), toHead, nowMs - (startMs ?? nowMs));
    this.link.close();
  }

  private answerProblem(
    code: ErrorCode,
    detail: string,
    requestId: string,
    toHead: boolean,
    durationMs: number,
  ): void {
    this.lane.counters.answered(ERRORS[code].status, durationMs);
    this.output.text(problemResponse(code, detail, { requestId, toHead, connection: this.connectionLine }));
  }

  /** Gives the connection to the plugin lane, from the beginning of the request that was just parsed. */
  private handOver(): void {
    const { lane, input, link } = this;
    input.own();
    const { bytes } = input;
    input.clear();
    // Nothing may be read or served here any more.
    link.closing = true;
    const socket = link.detach();
    lane.counters.handedOver += 1;
    this.owner.closed(this);
    lane.handOver(socket, bytes);
  }

  private updateReading(): void {
    const ahead = this.exchange !== undefined || this.output.blocked;
    this.link.setPaused(this.bodyPaused || (ahead && this.input.length > READ_AHEAD_BYTES_MAX));
  }
}
