import type { ErrorCode, Features } from '@usher/domain';
import type { RequestHead } from '@usher/http1';
import type { Answer } from '../wire/answer.ts';
import type { ClientSide } from '../wire/client-side.ts';
import { WireCounters } from '../wire/counters.ts';
import { Deadline, type Expirable } from '../wire/deadlines.ts';
import { Exchange } from '../wire/exchange.ts';
import type { ExchangeContext } from '../wire/lane-context.ts';
import { OutgoingRequest } from '../wire/outgoing-request.ts';
import { RequestBody } from '../wire/request-body.ts';
import { TimeLimits } from '../wire/time-limits.ts';
import type { BodyCopy } from './body-copy.ts';
import type { RouteMirror } from './route-mirror.ts';

/** So many copies are under way in one worker at a time. Beyond that, or with too much to do for clients, there are none. */
const UNDER_WAY_MAX = 100;
/** By it a backend knows a copy; its value is the id of the route. */
const MARK = 'x-usher-mirror';

/** A request of which a copy is sent. */
export interface Original {
  readonly mirror: RouteMirror;
  /** As it goes to a backend, without its last CRLF. */
  readonly head: string;
  /** As it came. */
  readonly received: Pick<RequestHead, 'method' | 'minor' | 'authority'>;
  /** For the pool of the copy. */
  readonly features: Features;
  /** What the connection for it begins with, see `OutgoingRequest`. */
  readonly preface: string;
  readonly id: string;
  /** Undefined without a body. */
  readonly body: BodyCopy | undefined;
  /** The head says where the body ends. */
  readonly framed: boolean;
}

/**
 * Sends copies of requests to other pools and throws the answers away. A copy goes its way as a request of a client would, with
 * connections, limits and breakers of its own pool, but nothing of it is a client's: whatever becomes of it is counted for its
 * route alone.
 */
export class Mirrors {
  readonly #lane: ExchangeContext;
  #underWay = 0;

  constructor(lane: ExchangeContext) {
    // What clients are told is counted elsewhere.
    this.#lane = { ...lane, counters: new WireCounters() };
  }

  /** Sends a copy as soon as its body is complete, behind whatever is going on just now. */
  follow(original: Original): void {
    const { body } = original;
    if (body === undefined) this.#send(original);
    else body.whenWhole((whole) => (whole ? this.#send(original) : original.mirror.count('too_long')));
  }

  #send({ mirror, head, received, features, preface, id, body, framed }: Original): void {
    const { admission } = this.#lane;
    const busy = admission.level > 0 || admission.memoryLevel > 0;
    if (busy || this.#underWay >= UNDER_WAY_MAX) {
      mirror.count('too_many');
      return;
    }
    this.#underWay += 1;
    const lane = this.#lane;
    const { entry } = mirror;
    const { http2 } = entry.pool.settings;
    const length = framed || body === undefined ? '' : `content-length: ${body.bytes}\r\n`;
    const marked = `${head}${length}${MARK}: ${entry.settings.id}\r\n`;
    const kept = body === undefined ? undefined : RequestBody.whole(body.pieces);
    const outgoing = new OutgoingRequest(marked, preface, received, kept);
    const nobody = new Nobody(lane, (answered) => {
      this.#underWay -= 1;
      mirror.count(answered ? 'answered' : 'failed');
    });
    setImmediate(() => {
      const startMs = lane.now();
      const { requestMs, responseMs } = lane.table.policy.timeouts;
      nobody.start(
        new Exchange(nobody, lane, received, {
          route: entry,
          features,
          upstreams: http2 ? lane.sessions : lane.upstreams,
          outgoing,
          id,
          startMs,
          // Nobody waits for it, and what never ends has to end as well.
          limits: new TimeLimits(startMs, 2 * responseMs, requestMs),
        }),
      );
    });
  }
}

/** The client of a copy: takes every answer at once and forgets it. */
class Nobody implements ClientSide, Answer, Expirable {
  readonly answer: Answer = this;
  readonly connectionLine = '';
  readonly upgrading = false;
  readonly blocked = false;
  readonly queued = false;
  readonly uncoded = false;
  private readonly lane: ExchangeContext;
  private readonly deadline = new Deadline(this);
  private readonly onOver: (answered: boolean) => void;
  private exchange: Exchange | undefined;

  constructor(lane: ExchangeContext, onOver: (answered: boolean) => void) {
    this.lane = lane;
    this.onOver = onOver;
  }

  start(exchange: Exchange): void {
    this.exchange = exchange;
    exchange.start();
  }

  expireAt(dueMs: number): void {
    if (this.exchange !== undefined) this.lane.deadlines.arm(this.deadline, dueMs);
  }

  expire(nowMs: number): void {
    this.exchange?.expire(nowMs);
  }

  exchangeOver(): void {
    this.end(true);
  }

  exchangeFailed(_code: ErrorCode): void {
    this.end(false);
  }

  abort(): void {
    this.end(false);
  }

  closeAfterwards(): void {}
  pauseBody(): void {}
  resumeBody(): void {}
  switchTo(): void {}
  informational(): void {}
  switching(): void {}
  final(): void {}
  part(): void {}

  private end(answered: boolean): void {
    if (this.exchange === undefined) return;
    this.exchange = undefined;
    this.lane.deadlines.remove(this.deadline);
    this.onOver(answered);
  }
}
