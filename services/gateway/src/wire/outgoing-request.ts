import { FAULTY, isIdempotent, type RequestHead } from '@usher/http1';
import type { Lifetime } from './read-buffers.ts';
import { REPLAY_BYTES_MAX, type RequestBody } from './request-body.ts';
import type { RequestOutput } from './upstream.ts';

/** The path of a request target in origin form. */
export function withoutQuery(target: string): string {
  const query = target.indexOf('?');
  return query < 0 ? target : target.slice(0, query);
}

/** A request as it goes to backends, more than once if need be. */
export class OutgoingRequest {
  readonly idempotent: boolean;
  readonly body: RequestBody | undefined;
  /** The head has been written to the present connection. */
  sent = false;
  /**
   * What a connection for it begins with, as latin1. It names the client to whom the connection belongs, so that it is for
   * this request alone. Empty: any connection will do.
   */
  readonly preface: string;
  /** Without its last CRLF. */
  private readonly head: string;
  private readonly needsHost: boolean;

  /** `head`: as it is to be sent, without its last CRLF; `received`: as it came. */
  constructor(
    head: string,
    preface: string,
    received: Pick<RequestHead, 'authority' | 'method'>,
    body: RequestBody | undefined,
  ) {
    this.head = head;
    this.preface = preface;
    this.needsHost = received.authority === '';
    this.idempotent = isIdempotent(received.method);
    this.body = body;
  }

  get wantsBody(): boolean {
    return this.body !== undefined && !this.body.done;
  }

  /** Path as it is sent, without the query. */
  get path(): string {
    const { head } = this;
    const start = head.indexOf(' ') + 1;
    return withoutQuery(head.slice(start, head.indexOf(' ', start)));
  }

  /** Everything of it is there to be sent again. */
  get replayable(): boolean {
    return this.body?.replayable ?? true;
  }

  /** Writes the head and what is there of the body, in one piece when that is short. */
  send(output: RequestOutput, authority: string): void {
    const { body } = this;
    const head = this.head + (this.needsHost ? `host: ${authority}\r\n\r\n` : '\r\n');
    this.sent = true;
    if (body === undefined) {
      output.text(head);
      return;
    }
    output.headAndPieces(head, body.kept, body.keptBytes);
    // What is never sent twice need not be kept.
    if (!(this.idempotent || output.refusable) || body.keptBytes > REPLAY_BYTES_MAX) body.forget();
  }

  /**
   * Takes what belongs to the body from `bytes[0..length)`: sends it on if the head was sent, else keeps it. Answers with
   * the offset after it, or FAULTY with the body's `fault` set.
   */
  takeBody(bytes: Buffer, length: number, lifetime: Lifetime, output: RequestOutput | undefined): number {
    const { body } = this;
    if (body === undefined) return 0;
    const to = body.take(bytes, 0, length);
    if (to === FAULTY) return to;
    if (!this.sent || output === undefined) {
      body.keep(bytes, 0, to, lifetime);
      return to;
    }
    if (body.keptBytes + to > REPLAY_BYTES_MAX) body.forget();
    body.keep(bytes, 0, to, lifetime);
    output.part(bytes, 0, to, lifetime);
    return to;
  }

  /** More of the body has to come, and the backend would take it. */
  waitsForClient(output: RequestOutput | undefined): boolean {
    return this.wantsBody && output?.blocked !== true;
  }

  /** Until when the client has to send more of the body; undefined when it is not the client who is waited for. */
  dueMs(nowMs: number, idleMs: number, output: RequestOutput | undefined): number | undefined {
    return this.waitsForClient(output) ? this.body?.dueMs(nowMs, idleMs) : undefined;
  }

  /** No more of the body should be read before some of it has left. */
  isFull(output: RequestOutput | undefined): boolean {
    if (this.sent) return output?.blocked === true;
    return this.body !== undefined && this.body.keptBytes >= REPLAY_BYTES_MAX;
  }
}
