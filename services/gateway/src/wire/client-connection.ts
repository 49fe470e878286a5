import type { Socket } from 'node:net';
import { ERRORS, type ErrorCode } from '@usher/domain';
import { FAULTS, FAULTY, FIELD, type HttpFault, INCOMPLETE, type RequestHead } from '@usher/http1';
import type { Hold, RouteEntry } from '../routing-table.ts';
import type { ClientSide } from './client-side.ts';
import { ClientSocket, type ClientSocketUser } from './client-socket.ts';
import type { ConnectionOwner, LaneConnection, LooseSocket } from './connection-owner.ts';
import { type Asked, examine, refuseBody } from './examine.ts';
import type { Exchange } from './exchange.ts';
import { requestIdOf } from './forward-request.ts';
import type { ConnectionLine } from './forward-response.ts';
import type { LaneContext } from './lane-context.ts';
import { LastHost } from './last-host.ts';
import { begin, openExchange } from './open-exchange.ts';
import type { Output } from './output.ts';
import { type Answered, answerText, ownAnswer, TurnedAway, turnedAway } from './own-answer.ts';
import type { Lifetime } from './read-buffers.ts';
import { RequestBody } from './request-body.ts';
import { RequestInput } from './request-input.ts';
import { TextAnswer } from './text-answer.ts';
import { Tunnel } from './tunnel.ts';
import type { UpstreamConnection } from './upstream-connection.ts';
import type { Visitor } from './visitor.ts';
import { allowsWebSocket, asksForWebSocket } from './websocket.ts';

/** So much of the next requests is read while one is in progress; then the client has to wait. */
const READ_AHEAD_BYTES_MAX = 64 * 1024;

/** One client connection: its requests one after the other, and what happens between them. */
export class ClientConnection implements LaneConnection, ClientSide, ClientSocketUser {
  readonly answer: TextAnswer;
  private readonly output: Output;
  private readonly link: ClientSocket;
  private readonly lane: LaneContext;
  private readonly owner: ConnectionOwner;
  private readonly visitor: Visitor;
  private readonly input = new RequestInput();
  private exchange: Exchange | undefined;
  /** Another request may follow the current one. */
  private keepAlive = true;
  /** The client of the current request has to be told so. */
  private sayKeepAlive = false;
  /** The present request is for a WebSocket and has a place among those. */
  upgrading = false;
  /** `serveNext` is running: what it calls need not call it. */
  private serving = false;
  /** The backend does not take the body as fast as it comes. */
  private bodyPaused = false;
  private requests = 0;
  private readonly lastHost = new LastHost();

  constructor(socket: Socket, lane: LaneContext, owner: ConnectionOwner, visitor: Visitor) {
    this.lane = lane;
    this.owner = owner;
    this.visitor = visitor;
    this.link = new ClientSocket(socket, lane, this);
    this.output = this.link.output;
    this.answer = new TextAnswer(this, this.output);
    this.visitor.arrive(this.link);
  }

  get connectionLine(): ConnectionLine {
    if (this.lane.leaving || this.lane.admission.memoryLevel > 0) this.keepAlive = false;
    if (!this.keepAlive) return 'connection: close\r\n';
    return this.sayKeepAlive ? 'connection: keep-alive\r\n' : '';
  }

  closeIfIdle(): void {
    if (this.exchange === undefined && this.input.isEmpty && !this.link.tunnelled) this.link.close();
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
    this.forgetExchange();
    this.bodyPaused = false;
    const last = this.lane.leaving || (this.link.halfClosed && this.input.isEmpty);
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
    const { requestId, method, route, startMs } = exchange;
    if (exchange.wantsBody) this.keepAlive = false;
    route.answers[(ERRORS[code].status / 100) | 0]! += 1;
    const { rate, edits } = exchange.attempts;
    this.answerOwn(turnedAway(code, detail), { requestId, method, rate, edits }, nowMs - startMs);
    this.exchangeOver(nowMs);
  }

  abort(): void {
    this.forgetExchange();
    this.link.reset();
  }

  switchTo(upstream: UpstreamConnection, beyond: Buffer, hold: Hold): void {
    const { input, link } = this;
    this.exchange = undefined;
    this.upgrading = false;
    const tunnel = new Tunnel(this.lane, link, upstream, hold, () => this.depart());
    if (beyond.length > 0) tunnel.onResponseData(beyond, beyond.length, 'ever');
    const ahead = input.takeAll();
    if (ahead.length > 0) tunnel.onBytes(ahead, ahead.length, 'ever');
    if (link.halfClosed) tunnel.onHalfClosed();
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
    // Half a request will never become a whole one. And most who stop sending have left, which nothing that is written
    // would find out while they wait in line: none of them keeps others waiting.
    if (exchange?.wantsBody === true || exchange?.waiting?.brief === false) this.link.destroy();
    else if (exchange === undefined && !this.output.blocked) this.link.close();
  }

  onGone(): void {
    const { exchange } = this;
    this.forgetExchange();
    exchange?.onClientGone();
    this.input.clear();
    this.depart();
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

  private depart(): void {
    this.visitor.leave();
    this.owner.closed(this);
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
        this.onFault(lane.requestHead.fault);
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
    if (!head.persistent || ++this.requests === lane.table.policy.limits.requestsPerConnection)
      this.keepAlive = false;
    this.sayKeepAlive = head.minor === 0;
    const route = lane.table.match(this.lastHost.toComparable(head.host), head.path);
    if (route?.lane === 'plugin') {
      this.visitor.handOver(this.giveUp());
      this.owner.closed(this);
      return;
    }
    const id = requestIdOf(head, route?.traffic, this.visitor.peer) ?? lane.newRequestId();
    const body = RequestBody.of(head, lane.table.policy.limits, startMs, route?.traffic?.bodyBytes);
    const asked: Asked = { head, id, body, startMs, rate: undefined, seen: undefined, edits: undefined };
    let bodyEnd = headEnd;
    if (body !== undefined) {
      bodyEnd = body.take(input.bytes, headEnd, input.end);
      if (bodyEnd === FAULTY) {
        input.clear();
        this.turnAway(asked, refuseBody(asked, body.fault, route, this.visitor, lane), route);
        return;
      }
      body.keep(input.bytes, headEnd, bodyEnd, input.lifetime);
    }
    input.consume(bodyEnd);
    this.open(asked, route);
  }

  private open(asked: Asked, matched: RouteEntry | undefined): void {
    const { lane, visitor } = this;
    const { head } = asked;
    if (matched === undefined) return this.turnAway(asked, turnedAway('no_route'));
    const route = visitor.armOf(head, matched);
    const features = examine(asked, route, visitor, lane);
    if (features instanceof TurnedAway) return this.turnAway(asked, features, route);
    const upgrade = head.fields.has(FIELD.upgrade) && allowsWebSocket(route) && asksForWebSocket(head);
    if (upgrade && !lane.upgrades.reserve(lane.table.policy.limits))
      return this.turnAway(asked, turnedAway('overloaded'), route);
    this.upgrading = upgrade;
    const course = { route, features, upgrade, patienceMs: Infinity };
    this.exchange = openExchange(this, lane, visitor, this.link, asked, course);
    begin(this.exchange, this, lane);
  }

  /** Answers a request that no backend gets. */
  private turnAway(asked: Asked, away: TurnedAway, route?: RouteEntry): void {
    const { head, id, body, startMs, rate, edits } = asked;
    if (body !== undefined && !body.done) this.keepAlive = false;
    if (route !== undefined) route.answers[(away.status / 100) | 0]! += 1;
    const answered = { requestId: id, method: head.method, rate, edits };
    this.answerOwn(away, answered, this.lane.now() - startMs);
    this.exchangeOver(startMs);
  }

  private forgetExchange(): void {
    this.exchange = undefined;
    if (this.upgrading) this.lane.upgrades.free();
    this.upgrading = false;
  }

  /** Answers what is no valid request, or not one that can be served here, and closes: what follows cannot be trusted. */
  private refuse(code: ErrorCode, detail: string): void {
    const { lane } = this;
    if (ERRORS[code].status === 400) lane.counters.badRequests += 1;
    this.keepAlive = false;
    this.input.clear();
    this.answerOwn(turnedAway(code, detail), { requestId: lane.newRequestId(), method: '' }, 0);
    this.link.close();
  }

  private answerOwn(away: TurnedAway, asked: Answered & { readonly method: string }, tookMs: number): void {
    this.lane.counters.answered(away.status, tookMs, asked.method);
    this.output.text(answerText(ownAnswer(away, asked), this.connectionLine, asked.method === 'HEAD'));
  }

  private onFault(fault: HttpFault): void {
    const http2 = fault === FAULTS.preface && this.requests === 0 && this.visitor.maySpeakHttp2;
    if (http2) this.owner.speaksHttp2(this, this.giveUp(), this.visitor);
    else this.refuse(fault.code, fault.detail);
  }

  /** Gives the connection away, from the beginning of the request that was just looked at. */
  private giveUp(): LooseSocket {
    const bytes = this.input.takeAll();
    // Nothing may be read or served here any more.
    this.link.closing = true;
    return { socket: this.link.detach(), bytes };
  }

  private updateReading(): void {
    const ahead = this.exchange !== undefined || this.output.blocked;
    this.link.setPaused(this.bodyPaused || (ahead && this.input.length > READ_AHEAD_BYTES_MAX));
  }
}
