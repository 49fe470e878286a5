import type { ErrorCode } from '@usher/domain';
import { FAULTY, type HttpFault, isIdempotent, type RequestHead } from '@usher/http1';
import type {
  AttemptOutcome,
  BackendSlot,
  LineExit,
  Place,
  PoolTable,
  Waiter,
} from '../routing-table.ts';
import type { ClientSide } from './client-side.ts';
import type { LaneContext } from './lane-context.ts';
import type { Lifetime } from './read-buffers.ts';
import { REPLAY_BYTES_MAX, type RequestBody } from './request-body.ts';
import { type Asked, ResponseRelay } from './response-relay.ts';
import { decideRetry } from './retry.ts';
import type { Loss, UpstreamConnection, UpstreamUser } from './upstream-connection.ts';

const NONE_TRIED: readonly BackendSlot[] = [];
/** Of pools that were declared before there were queues. */
const NO_QUEUE = { max: 0, timeoutMs: 0 };
const NO_ROOM = 'no backend has room';

/** Outcomes that are answered with the error of the same name. */
type Failure = Exclude<AttemptOutcome, 'ok' | 'server_error' | 'client_closed'>;

/** What a request comes down to once its head was read and its route found. */
export interface ExchangeRequest {
  readonly pool: PoolTable;
  /** Of the request's route, where its answer is counted. */
  readonly answers: Float64Array;
  /** The head for the backend, without its last CRLF. */
  readonly head: string;
  readonly id: string;
  readonly body: RequestBody | undefined;
  readonly startMs: number;
}

/**
 * One request and its response, through as many attempts as the retry rules allow. Calls `begin` and `finish` of the
 * table exactly once per attempt, however it ends.
 */
export class Exchange implements UpstreamUser, Asked, Waiter {
  readonly requestId: string;
  readonly toHead: boolean;
  readonly oldClient: boolean;
  private readonly client: ClientSide;
  private readonly lane: LaneContext;
  private readonly pool: PoolTable;
  private readonly head: string;
  private readonly needsHost: boolean;
  private readonly idempotent: boolean;
  private readonly body: RequestBody | undefined;
  readonly startMs: number;
  readonly answers: Float64Array;
  /** When the whole request has to be over. */
  private readonly limitMs: number;
  private over = false;
  private relay: ResponseRelay;
  private upstream: UpstreamConnection | undefined;
  /** Where the present attempt goes; undefined between attempts and after the last. */
  private slot: BackendSlot | undefined;
  /** Where it waits for a backend to have room. */
  private place: Place | undefined;
  private tried: BackendSlot[] | undefined;
  private attemptsLeft: number;
  private attemptStartMs = 0;
  /** The head has been written to the present connection. */
  private sent = false;

  constructor(client: ClientSide, lane: LaneContext, head: RequestHead, request: ExchangeRequest) {
    this.client = client;
    this.lane = lane;
    this.requestId = request.id;
    this.toHead = head.method === 'HEAD';
    this.oldClient = head.minor === 0;
    this.idempotent = isIdempotent(head.method);
    this.needsHost = head.authority === '';
    this.pool = request.pool;
    this.head = request.head;
    this.body = request.body;
    this.startMs = request.startMs;
    this.answers = request.answers;
    this.relay = new ResponseRelay(client, this, lane.responseHead);
    this.attemptsLeft = this.pool.settings.retry.attempts;
    const { requestMs } = lane.table.policy.timeouts;
    this.limitMs = requestMs === 0 ? Infinity : request.startMs + requestMs;
  }

  get wantsBody(): boolean {
    return this.body !== undefined && !this.body.done;
  }

  /** Starts the first attempt. The beginning of the body, if any, has been taken and kept already. */
  start(): void {
    const slot = this.lane.table.pick(this.pool, NONE_TRIED);
    if (slot !== undefined && this.lane.table.begin(slot)) this.attempt(slot, this.startMs);
    else this.queue();
  }

  admitted(slot: BackendSlot): void {
    const nowMs = this.lane.now();
    this.place = undefined;
    this.pool.line?.waited(nowMs - this.startMs);
    this.attempt(slot, nowMs);
    if (this.sent) this.client.resumeBody();
  }

  turnedAway(): void {
    this.place = undefined;
    this.refuse('no_backend', '', this.lane.now());
  }

  /** Part of the body waits to be written to the backend. */
  get bodyQueued(): boolean {
    return this.upstream?.output.queued === true;
  }

  /** Takes what belongs to the body from `bytes[0..length)`; answers with the offset after it. */
  onBodyData(bytes: Buffer, length: number, lifetime: Lifetime): number {
    const { body, upstream } = this;
    if (body === undefined || (upstream === undefined && this.place === undefined)) return length;
    const to = body.take(bytes, 0, length);
    if (to === FAULTY) {
      this.onRequestFault(body.fault);
      return length;
    }
    if (this.sent && upstream !== undefined) {
      if (body.keptBytes + to > REPLAY_BYTES_MAX) body.forget();
      body.keep(bytes, 0, to, lifetime);
      upstream.output.part(bytes, 0, to, lifetime);
      if (upstream.output.blocked) this.client.pauseBody();
      if (this.relay.status === 0) this.awaitNext(this.lane.now());
    } else {
      body.keep(bytes, 0, to, lifetime);
      if (body.keptBytes >= REPLAY_BYTES_MAX) this.client.pauseBody();
    }
    return to;
  }

  onUpstreamUnblocked(): void {
    this.client.resumeBody();
    if (this.relay.status === 0) this.awaitNext(this.lane.now());
  }

  /** The client's queue has run empty: there is room for more of the response. */
  onClientUnblocked(): void {
    if (this.relay.status !== 0) this.client.expireAt(this.limitMs);
    this.upstream?.resume();
  }

  /** The client left: nobody's failure. */
  onClientGone(): void {
    if (this.over) return;
    this.lane.counters.clientAborts += 1;
    this.finish('client_closed', this.lane.now());
    this.over = true;
    this.unqueue('left');
  }

  /** The time given by `expireAt` has come. */
  expire(nowMs: number): void {
    const inTime = nowMs < this.limitMs;
    if (this.place !== undefined) {
      this.unqueue('timeout');
      this.refuse('overloaded', NO_ROOM, nowMs);
    } else if (this.relay.status !== 0) {
      // Too late for an error answer: the whole request takes too long, or the client does not read.
      this.onBroken(inTime ? 'client_closed' : 'response_timeout', nowMs);
    } else if (inTime && this.waitsForClient) {
      this.finish('client_closed', nowMs);
      this.over = true;
      this.client.exchangeFailed('request_timeout', '', nowMs);
    } else {
      this.onFailed('response_timeout', nowMs);
    }
  }

  onConnected(): void {
    this.send(this.lane.now());
    this.client.resumeBody();
  }

  onResponseData(bytes: Buffer, length: number, lifetime: Lifetime): void {
    const { relay } = this;
    const { output } = this.client;
    const headBefore = relay.status === 0;
    const verdict = relay.take(bytes, length, lifetime);
    if (verdict === 'bad') {
      if (relay.status === 0) this.onFailed('bad_response', this.lane.now());
      else this.onBroken('bad_response', this.lane.now());
    } else if (verdict !== 'more') {
      this.onAnswered(verdict === 'complete');
    } else if (relay.status !== 0) {
      if (output.blocked) {
        this.upstream?.pause();
        this.client.expireAt(
          Math.min(this.limitMs, this.lane.now() + this.lane.table.policy.timeouts.idleMs),
        );
      } else if (headBefore) {
        this.client.expireAt(this.limitMs);
      }
    }
  }

  onResponseEnd(): void {
    if (this.relay.status === 0) this.onFailed('backend_closed', this.lane.now());
    else if (this.relay.endsWithConnection) this.onAnswered(false);
    else this.onBroken('backend_closed', this.lane.now());
  }

  onLost(loss: Loss): void {
    if (this.relay.status === 0) this.onFailed(loss, this.lane.now());
    else this.onBroken('backend_closed', this.lane.now());
  }

  /** More of the body has to come, and the backend would take it. */
  private get waitsForClient(): boolean {
    return this.wantsBody && this.upstream?.output.blocked !== true;
  }

  /** Waits until a backend has room, or answers that there is none to wait for. Only first attempts wait. */
  private queue(): void {
    const { line, eligible, settings } = this.pool;
    if (line === undefined || eligible.length === 0) {
      this.refuse('no_backend', '', this.startMs);
      return;
    }
    const { max, timeoutMs } = settings.queue ?? NO_QUEUE;
    this.place = line.enter(this, max);
    if (this.place === undefined) {
      this.refuse('overloaded', NO_ROOM, this.startMs);
      return;
    }
    this.client.expireAt(Math.min(this.limitMs, this.startMs + timeoutMs));
    line.serve();
  }

  private unqueue(exit: LineExit): void {
    const { place } = this;
    if (place === undefined) return;
    this.place = undefined;
    this.pool.line?.leave(place, exit);
  }

  /** Answers without an attempt. */
  private refuse(code: ErrorCode, detail: string, nowMs: number): void {
    this.over = true;
    this.client.exchangeFailed(code, detail, nowMs);
  }

  /** Goes on with a backend on which the request was begun. */
  private attempt(slot: BackendSlot, nowMs: number): void {
    this.slot = slot;
    this.attemptStartMs = nowMs;
    this.upstream = this.lane.upstreams.take(slot, this);
    if (this.upstream === undefined) this.connect(slot, nowMs);
    else this.send(nowMs);
  }

  private connect(slot: BackendSlot, nowMs: number): void {
    const { connectMs } = this.lane.table.policy.timeouts;
    this.sent = false;
    this.upstream = this.lane.upstreams.open(slot, this, nowMs + connectMs);
    this.client.expireAt(this.limitMs);
  }

  /** Writes the head and what is there of the body, in one piece when that is short. */
  private send(nowMs: number): void {
    const { body, upstream, slot } = this;
    if (upstream === undefined || slot === undefined) return;
    const host = this.needsHost ? `host: ${slot.authority}\r\n\r\n` : '\r\n';
    this.sent = true;
    if (body === undefined) {
      upstream.output.text(this.head + host);
    } else {
      upstream.output.headAndPieces(this.head + host, body.kept, body.keptBytes);
      // What is never sent twice need not be kept.
      if (!this.idempotent || body.keptBytes > REPLAY_BYTES_MAX) body.forget();
    }
    this.awaitNext(nowMs);
  }

  /** Waits for the rest of the body or, when that is complete, for the response. */
  private awaitNext(nowMs: number): void {
    const { idleMs, responseMs } = this.lane.table.policy.timeouts;
    this.client.expireAt(Math.min(this.limitMs, nowMs + (this.waitsForClient ? idleMs : responseMs)));
  }

  /** The body is malformed or too long: the client's fault, whatever the backend makes of it. */
  private onRequestFault(fault: HttpFault): void {
    const nowMs = this.lane.now();
    this.finish('client_closed', nowMs);
    this.over = true;
    this.unqueue('left');
    if (this.relay.status === 0) this.client.exchangeFailed(fault.code, fault.detail, nowMs);
    else this.client.abort();
  }

  /** The attempt failed before a final response: tries again if the rules allow it, else answers with the error. */
  private onFailed(outcome: Failure, nowMs: number): void {
    const { slot, relay, upstream, pool } = this;
    if (slot === undefined) return;
    const reached = this.sent;
    const verdict = decideRetry({
      outcome,
      reached,
      stale: upstream?.reused === true && relay.untouched && outcome === 'backend_closed',
      replayable: !relay.visible && (this.body?.replayable ?? true),
      idempotent: this.idempotent,
      attemptsLeft: this.attemptsLeft,
    });
    this.relay = new ResponseRelay(this.client, this, this.lane.responseHead);
    if (verdict === 'fresh') {
      upstream?.destroy();
      this.connect(slot, nowMs);
      return;
    }
    this.finish(outcome, nowMs);
    if (verdict === 'other') {
      (this.tried ??= []).push(slot);
      const next = this.lane.table.pick(pool, this.tried);
      if (
        next !== undefined &&
        this.lane.table.takeRetry(pool, nowMs) &&
        this.lane.table.begin(next)
      ) {
        this.attemptsLeft -= 1;
        this.lane.counters.retries += 1;
        this.attempt(next, nowMs);
        return;
      }
    }
    this.over = true;
    this.client.exchangeFailed(outcome, '', nowMs);
  }

  /** The whole response is written. `clean`: the backend sent nothing more than it. */
  private onAnswered(clean: boolean): void {
    const { relay, upstream } = this;
    const nowMs = this.lane.now();
    const reusable = clean && relay.persistent && !this.wantsBody && upstream?.isReusable === true;
    this.over = true;
    this.lane.counters.answered(relay.status, nowMs - this.startMs);
    this.answers[(relay.status / 100) | 0]! += 1;
    if (reusable) {
      this.upstream = undefined;
      upstream.release(nowMs + this.lane.table.policy.timeouts.backendIdleMs, this.client.output.queued);
    }
    this.finish(relay.status >= 500 ? 'server_error' : 'ok', nowMs);
    this.client.exchangeOver(nowMs);
  }

  /** The response broke off after its head was passed on. */
  private onBroken(outcome: AttemptOutcome, nowMs: number): void {
    if (outcome === 'client_closed') this.lane.counters.clientAborts += 1;
    else this.lane.counters.brokenResponses += 1;
    this.finish(outcome, nowMs);
    this.over = true;
    this.client.abort();
  }

  /** Ends the present attempt, if there is one, and its connection unless that was released. */
  private finish(outcome: AttemptOutcome, nowMs: number): void {
    const { slot, upstream } = this;
    this.upstream = undefined;
    this.slot = undefined;
    upstream?.destroy();
    if (slot !== undefined)
      this.lane.table.finish(this.pool, slot, outcome, nowMs - this.attemptStartMs, nowMs);
  }
}
