import type { ErrorCode } from '@usher/domain';
import { FAULTY } from '@usher/http1';
import type { AttemptOutcome, BackendSlot, Endpoint, Hold } from '../routing-table.ts';
import type { Guest, Wait } from '../waiting.ts';
import { Attempts } from './attempts.ts';
import type { ClientSide } from './client-side.ts';
import type { ExchangeRequest, ReceivedHead } from './exchange-request.ts';
import type { ExchangeContext } from './lane-context.ts';
import type { OutgoingRequest } from './outgoing-request.ts';
import type { Lifetime } from './read-buffers.ts';
import { type Asked, ResponseRelay } from './response-relay.ts';
import { decideRetry, type Failure } from './retry.ts';
import type { Loss, Upstream, UpstreamUser } from './upstream.ts';
import { UpstreamConnection } from './upstream-connection.ts';

/** One request and its response, through as many attempts as the retry rules allow. */
export class Exchange implements UpstreamUser, Asked, Guest {
  readonly requestId: string;
  readonly method: string;
  readonly toHead: boolean;
  readonly oldClient: boolean;
  private readonly client: ClientSide;
  private readonly lane: ExchangeContext;
  readonly attempts: Attempts;
  private readonly outgoing: OutgoingRequest;
  readonly startMs: number;
  readonly route: ExchangeRequest['route'];
  private over = false;
  private relay: ResponseRelay;
  private readonly request: Pick<ExchangeRequest, 'limits' | 'upstreams'>;
  private upstream: Upstream | undefined;
  /** Undefined unless no backend has had room for it yet. */
  waiting: Wait | undefined;
  /** How the last attempt failed, after which another one waits. */
  private failure: Failure | undefined;

  constructor(client: ClientSide, lane: ExchangeContext, head: ReceivedHead, request: ExchangeRequest) {
    this.client = client;
    this.lane = lane;
    this.requestId = request.id;
    this.method = head.method;
    this.toHead = head.method === 'HEAD';
    this.oldClient = head.minor === 0;
    this.attempts = new Attempts(lane.table, request.route.pool, request.features, request.outgoing);
    this.request = request;
    this.outgoing = request.outgoing;
    this.startMs = request.startMs;
    this.route = request.route;
    this.relay = new ResponseRelay(client, this, lane.responseHead);
  }

  get wantsBody(): boolean {
    return this.outgoing.wantsBody;
  }

  /** Starts the first attempt. The beginning of the body, if any, has been taken and kept already. */
  start(nowMs = this.startMs): void {
    const endpoint = this.attempts.first(nowMs);
    this.waiting = undefined;
    if (endpoint !== undefined) this.attempt(endpoint, nowMs);
    else this.startAfter(this.attempts.wait(this));
  }

  /** Has it wait for something else before an attempt. */
  startAfter(waiting: Wait): void {
    this.outgoing.sent = false;
    this.waiting = waiting;
    this.client.expireAt(Math.min(this.request.limits.endMs, waiting.dueMs));
    waiting.begin();
  }

  onRoom(slot: BackendSlot, reserved?: Hold): void {
    const nowMs = this.lane.now();
    this.waiting = undefined;
    const endpoint = this.attempts.admitted(slot, nowMs, reserved);
    if (this.failure !== undefined) this.lane.counters.retries += 1;
    this.attempt(endpoint, nowMs);
    if (this.outgoing.sent) this.client.resumeBody();
  }

  onNoRoom(code: ErrorCode, detail: string): void {
    this.waiting = undefined;
    this.over = true;
    this.client.exchangeFailed(this.failure ?? code, this.failure ? '' : detail, this.lane.now());
  }

  /** Takes what belongs to the body from `bytes[0..length)`; answers with the offset after it. */
  onBodyData(bytes: Buffer, length: number, lifetime: Lifetime): number {
    const { outgoing, upstream } = this;
    if (outgoing.body === undefined || (upstream === undefined && this.waiting === undefined)) return length;
    const to = outgoing.takeBody(bytes, length, lifetime, upstream?.output);
    if (to === FAULTY) {
      const { code, detail } = outgoing.body.fault;
      if (this.relay.status === 0) this.lane.admission.refusedBody(this.route, code);
      this.giveUp(code, detail, this.lane.now());
      return length;
    }
    // Also at the end of the body: it may wait in the very buffer that the next request would be read into.
    if (outgoing.isFull(upstream?.output)) this.client.pauseBody();
    if (outgoing.sent && this.relay.status === 0) this.awaitNext(this.lane.now());
    return to;
  }

  onUpstreamUnblocked(): void {
    this.outgoing.body?.pace?.restart(this.lane.now());
    this.client.resumeBody();
    if (this.relay.status === 0) this.awaitNext(this.lane.now());
  }

  /** The client's queue has run empty: there is room for more of the response. */
  onClientUnblocked(): void {
    if (this.relay.status !== 0) this.awaitMore();
    this.upstream?.resume();
  }

  /** The client left: nobody's failure. */
  onClientGone(): void {
    if (this.over) return;
    this.lane.counters.clientAborts += 1;
    this.finish('client_closed', this.lane.now());
    this.over = true;
  }

  /** The time given by `expireAt` has come. */
  expire(nowMs: number): void {
    const { endMs, patientUntilMs } = this.request.limits;
    const [inTime, patient] = [nowMs < endMs, nowMs < patientUntilMs];
    if (this.waiting !== undefined && patient) {
      this.waiting.expire();
    } else if (this.relay.status !== 0) {
      // Too late for an error answer: the client does not read, the backend pauses, or the whole takes too long.
      const gaveUp = !patient || (inTime && this.client.answer.blocked);
      this.onBroken(gaveUp ? 'client_closed' : 'response_timeout', nowMs);
    } else if (!patient) {
      this.giveUp('response_timeout', '', nowMs);
    } else if (inTime && this.outgoing.waitsForClient(this.upstream?.output)) {
      this.giveUp('request_timeout', '', nowMs);
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
    const verdict = relay.take(bytes, length, lifetime);
    this.attempts.answered(relay.status, this.lane.now);
    if (verdict === 'bad') {
      this.onBadResponse();
    } else if (verdict !== 'more') {
      this.onAnswered(verdict === 'complete');
    } else if (relay.status !== 0) {
      if (this.client.answer.blocked) this.upstream?.pause();
      this.awaitMore();
    }
  }

  onResponseEnd(): void {
    if (this.relay.status !== 0 && this.relay.endsWithConnection) this.onAnswered(false);
    else this.onLost('backend_closed', false);
  }

  onLost(loss: Loss, unprocessed: boolean): void {
    if (this.relay.status === 0) this.onFailed(loss, this.lane.now(), unprocessed);
    else this.onBroken('backend_closed', this.lane.now());
  }

  private attempt(endpoint: Endpoint, nowMs: number): void {
    this.upstream = this.outgoing.preface !== '' ? undefined : this.request.upstreams.take(endpoint, this);
    if (this.upstream === undefined) this.connect(endpoint, nowMs);
    else this.send(nowMs);
  }

  private connect(endpoint: Endpoint, nowMs: number): void {
    this.outgoing.sent = false;
    const dueMs = nowMs + endpoint.addresses.share(this.lane.table.policy.timeouts.connectMs);
    this.upstream = this.request.upstreams.open(endpoint, this, dueMs, this.outgoing.preface);
    this.client.expireAt(this.request.limits.endMs);
  }

  private send(nowMs: number): void {
    const { upstream } = this;
    if (upstream === undefined) return;
    this.outgoing.send(upstream.output, upstream.endpoint.authority);
    this.awaitNext(nowMs);
  }

  /** Waits for the rest of the body or, when that is complete, for the response. */
  private awaitNext(nowMs: number): void {
    const { bodyIdleMs, responseMs } = this.lane.table.policy.timeouts;
    const dueMs = this.outgoing.dueMs(nowMs, bodyIdleMs, this.upstream?.output);
    this.client.expireAt(Math.min(this.request.limits.endMs, dueMs ?? nowMs + responseMs));
  }

  /** Waits for more of the response, or for the client to take what there is of it. */
  private awaitMore(): void {
    const { bodyIdleMs, responseIdleMs = 0 } = this.lane.table.policy.timeouts;
    const pauseMs = this.client.answer.blocked ? bodyIdleMs : responseIdleMs || Infinity;
    this.client.expireAt(Math.min(this.request.limits.endMs, this.lane.now() + pauseMs));
  }

  /** Ends it for a reason that lies with the client, whatever the backend makes of it. */
  private giveUp(code: ErrorCode, detail: string, nowMs: number): void {
    this.finish('client_closed', nowMs);
    this.over = true;
    if (this.relay.status === 0) this.client.exchangeFailed(code, detail, nowMs);
    else this.client.abort();
  }

  /** The attempt failed before a final response: tries again if the rules allow it, else answers with the error. */
  private onFailed(outcome: Failure, nowMs: number, unprocessed = false): void {
    const { attempts, relay, upstream } = this;
    const { endpoint } = attempts;
    if (endpoint === undefined) return;
    const verdict = attempts.hasOtherAddress(outcome)
      ? 'fresh'
      : decideRetry({
          outcome,
          reached: this.outgoing.sent && !unprocessed,
          stale: upstream?.reused === true && relay.untouched && outcome === 'backend_closed',
          replayable: !relay.visible && this.outgoing.replayable,
          idempotent: this.outgoing.idempotent,
          attemptsLeft: attempts.left,
        });
    this.relay = new ResponseRelay(this.client, this, this.lane.responseHead);
    if (verdict === 'fresh') {
      upstream?.destroy();
      this.connect(endpoint, nowMs);
      return;
    }
    attempts.fail(outcome, nowMs);
    this.finish(outcome, nowMs);
    const next = verdict === 'other' ? attempts.another(nowMs) : undefined;
    if (next !== undefined) {
      this.lane.counters.retries += 1;
      this.attempt(next, nowMs);
    } else if (verdict === 'other' && attempts.waitsForAnother(nowMs)) {
      this.failure = outcome;
      this.startAfter(this.attempts.wait(this));
    } else {
      this.over = true;
      this.client.exchangeFailed(outcome, '', nowMs);
    }
  }

  private onBadResponse(): void {
    const { relay, lane } = this;
    const nowMs = lane.now();
    lane.badResponses.report(this.attempts.slot?.id ?? '', relay.fault.detail, nowMs);
    if (relay.status === 0) this.onFailed('bad_response', nowMs);
    else this.onBroken('bad_response', nowMs);
  }

  /** The whole response is written. `clean`: the backend sent nothing more than it. */
  private onAnswered(clean: boolean): void {
    const { attempts, relay, upstream } = this;
    const nowMs = this.lane.now();
    const free = clean && relay.persistent && !this.wantsBody && this.outgoing.preface === '';
    const reusable = free && upstream?.isReusable === true;
    this.over = true;
    this.lane.counters.answered(relay.status, nowMs - this.startMs, this.method);
    this.route.answers[(relay.status / 100) | 0]! += 1;
    if (reusable || relay.beyond !== undefined) this.upstream = undefined;
    if (reusable) {
      upstream.release(nowMs + this.lane.table.policy.timeouts.backendIdleMs, this.client.answer.queued);
    }
    // Before the attempt gives up its place on the backend, which the WebSocket keeps.
    if (relay.beyond !== undefined && attempts.slot !== undefined && upstream instanceof UpstreamConnection) {
      const hold = attempts.hold(attempts.slot);
      this.finish('ok', nowMs);
      this.client.switchTo(upstream, relay.beyond, hold);
      return;
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
    const { upstream } = this;
    this.upstream = undefined;
    upstream?.destroy(outcome);
    this.waiting?.leave();
    this.attempts.finish(outcome, nowMs);
  }
}
