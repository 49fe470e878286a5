import type { IncomingMessage } from 'node:http';
import { finished } from 'node:stream';
import type { FastifyReplyFromHooks } from '@fastify/reply-from';
import { type ErrorCode, UsherError } from '@usher/domain';
import { isIdempotent } from '@usher/http1';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AttemptOutcome, BackendSlot, RouteEntry, RoutingTable } from '../routing-table.ts';
import { decideRetry } from '../wire/retry.ts';
import { forwardedRequestHeaders, type Headers, type Peer } from './forwarded.ts';

/** What the lane knows of a request before Fastify sees it. */
export interface Arrival {
  readonly entry: RouteEntry;
  readonly requestId: string;
  readonly host: string | undefined;
  readonly peer: Peer;
  readonly trusted: boolean;
}

type Failure = Exclude<AttemptOutcome, 'ok' | 'server_error' | 'client_closed'>;

/**
 * One request on its way to a backend: picks, counts, and picks again when that is safe. It replaces the retries of
 * reply-from, which know neither the budget nor the other backends.
 */
export class Exchange {
  readonly #table: RoutingTable;
  readonly #nowMs: () => number;
  readonly #arrival: Arrival;
  readonly #request: FastifyRequest;
  readonly #reply: FastifyReply;
  readonly #path: string;
  readonly #hooks: FastifyReplyFromHooks;
  readonly #tried: BackendSlot[] = [];

  constructor(
    table: RoutingTable,
    nowMs: () => number,
    arrival: Arrival,
    request: FastifyRequest,
    reply: FastifyReply,
    path: string,
    hooks: FastifyReplyFromHooks,
  ) {
    this.#table = table;
    this.#nowMs = nowMs;
    this.#arrival = arrival;
    this.#request = request;
    this.#reply = reply;
    this.#path = path;
    this.#hooks = hooks;
  }

  /** Sends the request to a backend that has not had it yet. Throws `no_backend` when there is none. */
  attempt(): void {
    const { pool } = this.#arrival.entry;
    const slot = this.#table.pick(pool, this.#tried);
    if (slot === undefined) throw new UsherError('no_backend');
    this.#tried.push(slot);
    const end = this.#begin(slot);
    try {
      this.#reply.from(this.#path, {
        ...this.#hooks,
        ...this.#replayedBody(),
        getUpstream: () => `http://${slot.authority}`,
        rewriteRequestHeaders: (_request, headers) => this.#requestHeaders(headers),
        // Null is "never": with `maxRetriesOn503: 0` reply-from would still repeat a GET ten times.
        retryDelay: () => null,
        onResponse: (_request, _reply, response) => this.#relay(response, end),
        onError: (_reply, { error }) => this.#onError(error, slot, end),
      });
    } catch (error) {
      end('client_closed');
      throw error;
    }
  }

  /** Counts an attempt from here to the first call of the function that it answers with, or to when the client is gone. */
  #begin(slot: BackendSlot): (outcome: AttemptOutcome) => void {
    const startedMs = this.#nowMs();
    let ended = false;
    const end = (outcome: AttemptOutcome): void => {
      if (ended) return;
      ended = true;
      this.#reply.raw.off('close', onClose);
      const nowMs = this.#nowMs();
      this.#table.finish(this.#arrival.entry.pool, slot, outcome, nowMs - startedMs, nowMs);
    };
    const onClose = () => end('client_closed');
    this.#reply.raw.once('close', onClose);
    this.#table.begin(slot);
    return end;
  }

  #requestHeaders(headers: Headers): Headers {
    const { host, requestId, peer, trusted } = this.#arrival;
    const forwarded = forwardedRequestHeaders(headers, host, requestId, peer, trusted);
    if (this.#request.headers['content-type'] === undefined) delete forwarded['content-type'];
    return forwarded;
  }

  /** A body that was read whole goes out as it is. Left to itself, reply-from would write a buffer of JSON as JSON again. */
  #replayedBody(): FastifyReplyFromHooks {
    const { body } = this.#request;
    if (!Buffer.isBuffer(body)) return {};
    return { body, contentType: this.#request.headers['content-type'] ?? 'application/octet-stream' };
  }

  #relay(response: unknown, end: (outcome: AttemptOutcome) => void): void {
    const { stream, statusCode = 200 } = response as { stream: IncomingMessage; statusCode?: number };
    finished(stream, { writable: false }, (error) => {
      if (error === undefined || error === null) end(statusCode >= 500 ? 'server_error' : 'ok');
      else end(this.#clientLeft() ? 'client_closed' : 'backend_closed');
    });
    void this.#reply.send(stream);
  }

  #onError(error: Error, slot: BackendSlot, end: (outcome: AttemptOutcome) => void): void {
    const cause = error.cause instanceof Error ? error.cause : error;
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
    if (!this.#mayRepeat(failure)) {
      void this.#reply.send(new UsherError(failure satisfies ErrorCode));
      return;
    }
    try {
      this.attempt();
    } catch {
      void this.#reply.send(new UsherError(failure, `the only backend left failed: ${slot.id}`));
    }
  }

  /** Whether it is safe and affordable to send the request once more. Takes it from the pool's budget if so. */
  #mayRepeat(failure: Failure): boolean {
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
    if (verdict === 'none') return false;
    return this.#table.takeRetry(pool, this.#nowMs());
  }

  #clientLeft(): boolean {
    return this.#reply.raw.destroyed || this.#reply.raw.closed;
  }
}

/** What went wrong between here and the backend, by the code that undici or the system gave. */
function failureOf(error: Error): Failure {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT') return 'connect_timeout';
  if (CONNECT_CODES.has(code) || error instanceof AggregateError) return 'connect_failed';
  if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT') return 'response_timeout';
  if (code.startsWith('HPE_') || code === 'UND_ERR_HEADERS_OVERFLOW') return 'bad_response';
  return 'backend_closed';
}

const CONNECT_CODES = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EADDRNOTAVAIL',
  'EMFILE',
]);
