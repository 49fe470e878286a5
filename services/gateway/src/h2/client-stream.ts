import { constants, type ServerHttp2Stream } from 'node:http2';
import { ERRORS, type ErrorCode } from '@usher/domain';
import { FAULTS, FAULTY, type HttpFault, parseRequestHead, type RequestHead } from '@usher/http1';
import { rateFields } from '../rate/rate-ticket.ts';
import type { RouteEntry } from '../routing-table.ts';
import type { ClientSide } from '../wire/client-side.ts';
import { Deadline, type Expirable } from '../wire/deadlines.ts';
import { type Asked, examine, refuseBody } from '../wire/examine.ts';
import { requestIdOf } from '../wire/forward-request.ts';
import type { LaneContext } from '../wire/lane-context.ts';
import { begin, openExchange } from '../wire/open-exchange.ts';
import { type Answered, ownAnswer, TurnedAway, turnedAway } from '../wire/own-answer.ts';
import { RequestBody } from '../wire/request-body.ts';
import type { Ends, Visitor } from '../wire/visitor.ts';
import { feedBody } from './body-feed.ts';
import { type GrpcCall, grpcFailure, grpcTrailers } from './grpc.ts';
import { PluginLoop, type StreamServer } from './plugin-loop.ts';
import { requestText } from './request-text.ts';
import type { FieldList } from './response-fields.ts';
import { StreamAnswer } from './stream-answer.ts';

const EMPTY = Buffer.alloc(0);

/** What all streams of a session share. */
export interface StreamHome {
  readonly lane: LaneContext;
  readonly visitor: Visitor;
  readonly ends: Ends;
  /** In the form that routes are found by. */
  comparableHost(host: string): string;
  streamClosed(): void;
}

/** One stream of a client: one request, and its answer. */
export class ClientStream implements ClientSide, Expirable {
  readonly answer: StreamAnswer;
  /** A stream says nothing about its connection. */
  readonly connectionLine = '';
  readonly upgrading = false;
  private readonly home: StreamHome;
  private readonly lane: LaneContext;
  private readonly stream: ServerHttp2Stream;
  private readonly deadline = new Deadline(this);
  private exchange: StreamServer | undefined;
  /** The client has sent its last byte. */
  private complete: boolean;
  /** Empty as long as its request is not read. */
  private method = '';
  private toHead = false;
  private grpc: GrpcCall | undefined;
  private startMs: number;
  private closed = false;

  /** `complete`: no body follows. */
  constructor(home: StreamHome, stream: ServerHttp2Stream, complete: boolean) {
    this.home = home;
    this.lane = home.lane;
    this.stream = stream;
    this.complete = complete;
    this.startMs = home.lane.now();
    this.answer = new StreamAnswer(stream, home.lane.counters, () => this.exchange?.onClientUnblocked());
    // 'close' always follows.
    stream.on('error', () => {});
    stream.on('aborted', () => this.onGone());
    stream.on('close', () => this.onClose());
    if (!complete) stream.on('end', () => (this.complete = true));
  }

  /** `fields`: names and values in turn. */
  serve(fields: readonly string[]): void {
    // Reset by the bytes behind it: nobody should work for it.
    if (this.stream.closed || this.stream.destroyed) this.lane.counters.clientAborts += 1;
    else this.judge(fields);
  }

  closeAfterwards(): void {}

  expireAt(dueMs: number): void {
    if (!this.closed) this.lane.deadlines.arm(this.deadline, dueMs);
  }

  pauseBody(): void {
    this.stream.pause();
  }

  resumeBody(): void {
    if (this.stream.isPaused()) this.stream.resume();
  }

  exchangeOver(nowMs: number): void {
    this.exchange = undefined;
    // What the client does not take by then is not taken at all.
    this.expireAt(nowMs + this.lane.table.policy.timeouts.idleMs);
    // RFC 9113 section 8.1: the rest of the request is of no use to anybody.
    this.answer.end(this.complete ? undefined : () => this.stream.close(constants.NGHTTP2_NO_ERROR));
  }

  exchangeFailed(code: ErrorCode, detail: string, nowMs: number): void {
    const { exchange } = this;
    if (exchange === undefined) return;
    const { route, requestId, attempts } = exchange;
    const { rate, edits } = attempts;
    route.answers[(ERRORS[code].status / 100) | 0]! += 1;
    this.fail(turnedAway(code, detail), { requestId, rate, edits }, nowMs);
  }

  /** No stream asks to switch. */
  switchTo(): void {}

  abort(): void {
    const nowMs = this.lane.now();
    this.exchange = undefined;
    if (this.grpc?.trails === true && this.answer.endWith(this.whyBroken(nowMs, this.grpc)))
      this.exchangeOver(nowMs);
    else this.breakOff();
  }

  expire(nowMs: number): void {
    if (this.exchange === undefined) this.breakOff();
    else this.exchange.expire(nowMs);
  }

  private judge(fields: readonly string[]): void {
    const { lane, home } = this;
    const { text, lines, grpc } = requestText(fields, this.complete);
    this.grpc = grpc;
    const bytes = Buffer.from(text, 'latin1');
    const head = lane.requestHead;
    lane.counters.bytesIn += bytes.length;
    const end = parseRequestHead(bytes, bytes.length, lane.table.policy.limits, head);
    this.toHead = text.startsWith('HEAD ');
    if (end !== bytes.length || head.fields.count !== lines) {
      this.refuse(end === FAULTY ? head.fault : FAULTS.fieldValue, lane.newRequestId());
      return;
    }
    this.method = head.method;
    const route = lane.table.match(home.comparableHost(head.host), head.path);
    const id = requestIdOf(head, route?.traffic, home.visitor.peer) ?? lane.newRequestId();
    const body = RequestBody.of(head, lane.table.policy.limits, this.startMs, route?.traffic?.bodyBytes);
    const asked: Asked = {
      head,
      id,
      body,
      startMs: this.startMs,
      rate: undefined,
      seen: undefined,
      edits: undefined,
    };
    if (body?.take(EMPTY, 0, 0) === FAULTY)
      this.turnAway(refuseBody(asked, body.fault, route, home.visitor, lane), asked, route);
    else if (route === undefined) this.fail(turnedAway('no_route'), { requestId: id }, this.startMs);
    else if (route.lane === 'plugin') this.loop(text, head, route, id);
    else this.open(asked, route);
  }

  private open(asked: Asked, matched: RouteEntry): void {
    const { home, lane } = this;
    const { head, body } = asked;
    const route = home.visitor.armOf(head, matched);
    const features = examine(asked, route, home.visitor, lane);
    if (features instanceof TurnedAway) {
      this.turnAway(features, asked, route);
      return;
    }
    const patienceMs = this.grpc?.patienceMs ?? Infinity;
    const chunked = head.body === 'chunked';
    const exchange = openExchange(this, lane, home.visitor, home.ends, asked, {
      route,
      features,
      upgrade: false,
      patienceMs,
    });
    this.exchange = exchange;
    begin(exchange, this, lane);
    if (body !== undefined) feedBody(this.stream, chunked, (bytes) => this.onBody(bytes));
  }

  private loop(text: string, head: RequestHead, route: RouteEntry, id: string): void {
    const chunked = head.body === 'chunked';
    const hasBody = head.body !== 'none';
    const loop = new PluginLoop(this, this.lane, id, this.toHead, route);
    this.exchange = loop;
    this.expireAt(Infinity);
    loop.start(text, this.home.visitor);
    if (hasBody) feedBody(this.stream, chunked, (bytes) => this.onBody(bytes));
  }

  private onBody(bytes: Buffer): void {
    this.lane.counters.bytesIn += bytes.length;
    this.exchange?.onBodyData(bytes, bytes.length, 'ever');
  }

  /** Answers what is no valid request. */
  private refuse(fault: HttpFault, id: string): void {
    if (ERRORS[fault.code].status === 400) this.lane.counters.badRequests += 1;
    this.fail(turnedAway(fault.code, fault.detail), { requestId: id }, this.lane.now());
  }

  private turnAway(away: TurnedAway, { id, rate, edits, startMs }: Asked, route?: RouteEntry): void {
    if (route !== undefined) route.answers[(away.status / 100) | 0]! += 1;
    this.fail(away, { requestId: id, rate, edits }, startMs);
  }

  private fail(away: TurnedAway, answered: Answered, nowMs: number): void {
    const { code, detail } = away;
    this.lane.counters.answered(away.status, nowMs - this.startMs, this.method);
    if (this.grpc === undefined || code === undefined) {
      const { status, fields, text } = ownAnswer(away, answered);
      this.answer.whole([':status', String(status), ...fields], this.toHead ? '' : text);
    } else {
      const { requestId, rate } = answered;
      this.answer.whole([...grpcFailure(code, detail, requestId), ...rateFields(rate)], '');
    }
    this.exchangeOver(nowMs);
  }

  private whyBroken(nowMs: number, { patienceMs }: GrpcCall): FieldList {
    const late = nowMs >= this.startMs + patienceMs;
    return grpcTrailers(late ? 'response_timeout' : 'backend_closed', '');
  }

  /** Resets the stream with INTERNAL_ERROR. `close` would end it first, which a client could take for the end of a response. */
  private breakOff(): void {
    this.stream.destroy(new Error('the answer broke off'));
  }

  private onGone(): void {
    const { exchange } = this;
    this.exchange = undefined;
    exchange?.onClientGone();
  }

  private onClose(): void {
    this.onGone();
    this.closed = true;
    this.lane.deadlines.remove(this.deadline);
    this.home.streamClosed();
  }
}
