import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { finished } from 'node:stream';
import type { FastifyHttpProxyOptions } from '@fastify/http-proxy';
import { type ErrorCode, type Features, type SpherePoint, UsherError } from '@usher/domain';
import { isIdempotent } from '@usher/http1';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { BodyCopy } from '../mirror/body-copy.ts';
import type { Mirrors } from '../mirror/mirrors.ts';
import type { AttemptOutcome, BackendSlot, Hold, RouteEntry } from '../routing-table.ts';
import type { Visit } from '../sticky/sticky.ts';
import { endpointFor } from '../table/endpoints.ts';
import type { TrafficRequest } from '../traffic/traffic-request.ts';
import { PANIC_HEADER } from '../wire/debug-token.ts';
import { ConnectError } from '../wire/dialler.ts';
import type { WireLaneOptions } from '../wire/lane-context.ts';
import { withoutQuery } from '../wire/outgoing-request.ts';
import type { Peer } from '../wire/peer.ts';
import { decideRetry, type Failure } from '../wire/retry.ts';
import { Attempt, type Placed, retryOn, waitForRoom } from './backends.ts';
import { forwardedRequestHeaders, type Headers } from './forwarded.ts';
import { originOf } from './origins.ts';

const NOT_MODIFIED = 304;

/** What serving a request takes. */
export type LaneTools = Pick<WireLaneOptions, 'table' | 'now' | 'counters' | 'dialler' | 'debug'> & {
  readonly mirrors: Pick<Mirrors, 'follow'>;
};

/** What the lane knows of a request before Fastify sees it. */
export interface Arrival {
  readonly entry: RouteEntry;
  /** Hash of the part of the request that the pool's strategy goes by. */
  readonly key: number;
  /** Where its client is; undefined = unknown, or of no interest. */
  readonly from: SpherePoint | undefined;
  readonly requestId: string;
  readonly host: string | undefined;
  readonly peer: Peer;
  /** Its part in a session, if it has one. */
  readonly visit: Visit | undefined;
  /** As the policy of its route sees it; undefined where that has none. */
  readonly seen: TrafficRequest | undefined;
  /** Of its copy for another pool: where that goes, and its body as far as it passes through unread. Undefined = there is none. */
  readonly copy?: { readonly arrival: Arrival; readonly body: BodyCopy } | undefined;
  /** Present when the client asks for a WebSocket. */
  readonly upgrade?: Upgrade;
}

export interface Upgrade {
  readonly client: Socket;
  /** What the client has sent already beyond its request. */
  readonly head: Buffer;
  readonly onStatus: (status: number) => void;
}

/** As reply-from tells of it. */
interface BackendAnswer {
  readonly stream: IncomingMessage;
  readonly headers: Headers;
  readonly statusCode?: number;
}

/** What reply-from is told about one attempt. */
type ReplyHooks = NonNullable<FastifyHttpProxyOptions['replyOptions']>;

/**
 * One request on its way to a backend: picks, counts, and picks again when that is safe. It replaces the retries of
 * reply-from, which know neither the budget nor the other backends.
 */
export class Exchange {
  readonly #tools: LaneTools;
  readonly #arrival: Arrival;
  readonly #features: Features;
  readonly #request: FastifyRequest;
  readonly #reply: FastifyReply;
  readonly #path: string;
  readonly #hooks: ReplyHooks;
  readonly #tried: BackendSlot[] = [];
  /** Ends the present attempt. */
  #end: ((outcome: AttemptOutcome) => void) | undefined;
  /** What the backend's answer has brought into ours; nothing before it came. */
  #brought: readonly string[] = [];
  /** How the backend broke its answer off. */
  #broke: Failure | undefined;

  constructor(
    tools: LaneTools,
    arrival: Arrival,
    features: Features,
    request: FastifyRequest,
    reply: FastifyReply,
    path: string,
    hooks: ReplyHooks,
  ) {
    this.#tools = tools;
    this.#arrival = arrival;
    this.#features = features;
    this.#request = request;
    this.#reply = reply;
    this.#path = path;
    this.#hooks = hooks;
  }

  /** Makes the first attempt, or waits until a backend has room for it. */
  start(): void {
    waitForRoom(this.#placed(), this.#reply.raw, {
      onRoom: (slot, reserved) => this.#attempt(slot, reserved),
      onNoRoom: (code, detail) => void this.#reply.send(new UsherError(code, detail)),
    });
    const { requestMs } = this.#tools.table.policy.timeouts;
    if (requestMs === 0) return;
    const late = setTimeout(() => this.#onLate(), requestMs);
    this.#reply.raw.once('close', () => clearTimeout(late));
  }

  /**
   * The answer of the backend does not come about, and nothing of it has gone out yet: what it said of itself, how long it
   * may be kept for instance, is not true of the error that is answered instead. Tells that error if the backend is to blame.
   */
  takeBack(): UsherError | undefined {
    for (const name of this.#brought) void this.#reply.removeHeader(name);
    return this.#broke === undefined ? undefined : new UsherError(this.#broke satisfies ErrorCode);
  }

  #placed(): Placed {
    const { table, now } = this.#tools;
    const { pool } = this.#arrival.entry;
    return { table, pool, features: this.#features, tried: this.#tried, now };
  }

  /** Another attempt, on a backend that has not had the request yet; false when there will be none. */
  #again(failure: Failure): boolean {
    const { counters } = this.#tools;
    return retryOn(this.#placed(), this.#reply.raw, {
      onRoom: (slot, reserved) => {
        counters.retries += 1;
        this.#attempt(slot, reserved);
      },
      onNoRoom: () => void this.#reply.send(new UsherError(failure satisfies ErrorCode)),
    });
  }

  /** Goes on with a backend on which the request was begun. */
  #attempt(slot: BackendSlot, reserved: Hold | undefined): void {
    const attempt = new Attempt(this.#placed(), slot, reserved);
    this.#tried.push(slot);
    const end = this.#count(attempt);
    const endpoint = endpointFor(slot, { path: withoutQuery(this.#path) });
    try {
      this.#reply.from(this.#path, {
        ...this.#hooks,
        ...this.#replayedBody(),
        getUpstream: () => originOf(slot, endpoint),
        rewriteRequestHeaders: (_request, headers) => this.#requestHeaders(headers),
        // Null is "never": with `maxRetriesOn503: 0` reply-from would still repeat a GET ten times.
        retryDelay: () => null,
        onResponse: (_request, _reply, response) => this.#relay(response, attempt, end),
        onError: (_reply, { error }) => this.#onError(error, end),
      });
    } catch (error) {
      end('client_closed');
      void this.#reply.send(error);
    }
  }

  /** Counts an attempt from here to the first call of the function that it answers with, or to when the client is gone. */
  #count(attempt: Attempt): (outcome: AttemptOutcome) => void {
    const end = (outcome: AttemptOutcome): void => {
      if (attempt.end(outcome)) this.#reply.raw.off('close', onClose);
    };
    const onClose = () => end('client_closed');
    this.#reply.raw.once('close', onClose);
    this.#end = end;
    return end;
  }

  #requestHeaders(headers: Headers): Headers {
    const forwarded = forwardedRequestHeaders(headers, this.#arrival);
    if (this.#request.headers['content-type'] === undefined) delete forwarded['content-type'];
    return forwarded;
  }

  /** A body that was read whole goes out as it is. Left to itself, reply-from would write a buffer of JSON as JSON again. */
  #replayedBody(): ReplyHooks {
    const { body } = this.#request;
    if (!Buffer.isBuffer(body)) return {};
    return { body, contentType: this.#request.headers['content-type'] ?? 'application/octet-stream' };
  }

  #relay(response: unknown, attempt: Attempt, end: (outcome: AttemptOutcome) => void): void {
    const { stream, headers, statusCode = 200 } = response as BackendAnswer;
    attempt.answered(statusCode);
    this.#brought = Object.keys(headers).filter((name) => name !== 'x-request-id');
    const cookie = this.#arrival.visit?.setCookie() ?? '';
    if (cookie !== '' && !this.#reply.sent) void this.#reply.header('set-cookie', cookie);
    const { pool } = this.#arrival.entry;
    const note = pool.panic ? this.#tools.debug?.noteForMessage(pool, this.#request.headers) : undefined;
    if (note !== undefined && note !== '' && !this.#reply.sent) void this.#reply.header(PANIC_HEADER, note);
    if (statusCode === NOT_MODIFIED) {
      // Its length is that of what was not sent (RFC 9110 section 8.6), which undici takes for a body that broke off.
      stream.on('error', () => {}).resume();
      end('ok');
      if (!this.#reply.sent) void this.#reply.send();
      return;
    }
    finished(stream, { writable: false }, (error) => {
      if (error === undefined || error === null) end(statusCode >= 500 ? 'server_error' : 'ok');
      else if (this.#clientLeft() || isGivenUp(error)) end('client_closed');
      else end((this.#broke = failureOf(error)));
    });
    if (this.#reply.sent) stream.destroy();
    else void this.#reply.send(stream);
  }

  /** The time for the whole request is over. */
  #onLate(): void {
    this.#end?.('response_timeout');
    if (this.#reply.sent) this.#reply.raw.destroy();
    else void this.#reply.send(new UsherError('response_timeout'));
  }

  #onError(error: Error, end: (outcome: AttemptOutcome) => void): void {
    const wrapped = !(error instanceof ConnectError) && error.cause instanceof Error;
    const cause = wrapped ? (error.cause as Error) : error;
    if (this.#clientLeft()) {
      end('client_closed');
      return;
    }
    // The request's own body failed: too long, or the client broke it off.
    if (cause instanceof UsherError) {
      end('client_closed');
      void this.#reply.send(cause);
      return;
    }
    const failure = failureOf(cause);
    end(failure);
    if (!this.#isRepeatable(failure) || !this.#again(failure))
      void this.#reply.send(new UsherError(failure satisfies ErrorCode));
  }

  /** Whether it is safe to send the request once more. */
  #isRepeatable(failure: Failure): boolean {
    const { pool } = this.#arrival.entry;
    const { body, method } = this.#request;
    const verdict = decideRetry({
      outcome: failure,
      reached: failure !== 'connect_failed' && failure !== 'connect_timeout',
      // Undici does not tell whether the connection that failed had been used before.
      stale: false,
      replayable: body === undefined || Buffer.isBuffer(body),
      idempotent: isIdempotent(method),
      attemptsLeft: pool.settings.retry.attempts + 1 - this.#tried.length,
    });
    return verdict !== 'none';
  }

  #clientLeft(): boolean {
    return this.#reply.raw.destroyed || this.#reply.raw.closed;
  }
}

/** Whoever reads the answer here, a plugin for instance, wants no more of it: no failure of the backend's. */
function isGivenUp(error: NodeJS.ErrnoException): boolean {
  return error.code === 'UND_ERR_ABORTED';
}

/** What went wrong between here and the backend, by the code that undici or the system gave. */
function failureOf(error: Error): Failure {
  if (error instanceof ConnectError) return error.loss;
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT') return 'response_timeout';
  if (code.startsWith('HPE_') || code === 'UND_ERR_HEADERS_OVERFLOW') return 'bad_response';
  return 'backend_closed';
}
