import type { ServerHttp2Stream } from 'node:http2';
import type { ResponseHead } from '@usher/http1';
import type { Answer } from '../wire/answer.ts';
import type { OutputTally } from '../wire/output.ts';
import type { Lifetime } from '../wire/read-buffers.ts';
import type { ResponseBody } from '../wire/response-body.ts';
import type { Asked } from '../wire/response-relay.ts';
import { asHeaders, type FieldList, responseFields, trailerFields } from './response-fields.ts';

const EMPTY = Buffer.alloc(0);
const RESET_CONTENT = 205;

/** One response as HTTP/2 writes it. What is written after the stream has gone is lost, as on any connection. */
export class StreamAnswer implements Answer {
  readonly uncoded = true;
  /** Bytes of bodies are copied, so they never wait where they were. */
  readonly queued = false;
  blocked = false;
  /** The last byte has been written. */
  ended = false;
  private readonly stream: ServerHttp2Stream;
  private readonly tally: OutputTally;
  private readonly onUnblocked: () => void;
  private trailers: FieldList = [];
  private mayTrail = false;
  /** Nothing more will be asked of the stream. */
  private onSent: (() => void) | undefined;

  constructor(stream: ServerHttp2Stream, tally: OutputTally, onUnblocked: () => void) {
    this.stream = stream;
    this.tally = tally;
    this.onUnblocked = onUnblocked;
  }

  informational(head: ResponseHead, asked: Asked): void {
    if (!this.gone) this.stream.additionalHeaders(asHeaders(responseFields(head, asked.requestId)));
  }

  /** A stream never asks for a WebSocket. */
  switching(): void {}

  final(
    head: ResponseHead,
    asked: Asked,
    body: ResponseBody | undefined,
    bytes: Buffer,
    start: number,
    end: number,
    lifetime: Lifetime,
  ): void {
    const payload = head.status === RESET_CONTENT ? EMPTY : this.payload(body, bytes, start, end, lifetime);
    const complete = body === undefined || body.complete;
    if (complete) this.trailers = trailerFields(body?.trailers ?? '');
    // Trailers are announced before the body, so a coded body that is not over may have some.
    this.mayTrail = complete ? this.trailers.length > 0 : body.kind === 'chunked';
    this.respond(responseFields(head, asked.requestId, asked.attempts), complete && payload.length === 0);
    this.write(payload, complete);
  }

  part(body: ResponseBody, bytes: Buffer, start: number, end: number, lifetime: Lifetime): void {
    const payload = this.payload(body, bytes, start, end, lifetime);
    if (body.complete) this.trailers = trailerFields(body.trailers);
    this.write(payload, body.complete);
  }

  /** A whole answer of our own. */
  whole(fields: FieldList, text: string): void {
    this.respond(fields, text === '');
    this.write(Buffer.from(text), true);
  }

  /** Ends the response with these trailers, if it may have any. */
  endWith(trailers: FieldList): boolean {
    if (!this.mayTrail || this.ended || this.gone) return false;
    this.trailers = trailers;
    this.write(EMPTY, true);
    return true;
  }

  /** Ends the response unless that was done; `onSent` is called when its last frame may be followed by another. */
  end(onSent: (() => void) | undefined): void {
    this.write(EMPTY, true);
    if (onSent === undefined) return;
    if (this.mayTrail) this.onSent = onSent;
    else onSent();
  }

  private get gone(): boolean {
    return this.stream.destroyed || this.stream.closed;
  }

  private respond(fields: FieldList, endStream: boolean): void {
    if (this.gone) return;
    for (const part of fields) this.tally.bytesOut += part.length;
    const bare = endStream && !this.mayTrail;
    this.ended = bare;
    if (this.mayTrail) this.stream.on('wantTrailers', this.onWantTrailers);
    this.stream.on('drain', this.onDrain);
    // A date is the backend's to give, as in HTTP/1.1.
    const options = { endStream: bare, waitForTrailers: this.mayTrail, sendDate: false };
    this.stream.respond(fields, options);
  }

  private write(payload: Buffer, complete: boolean): void {
    const { stream } = this;
    if (this.ended || this.gone) return;
    this.tally.bytesOut += payload.length;
    this.ended = complete;
    // Node ended it where the status or the method allows no content.
    if (stream.writableEnded) return;
    if (!complete) {
      if (payload.length > 0 && !stream.write(payload)) this.blocked = true;
    } else if (payload.length > 0) {
      stream.end(payload);
    } else {
      stream.end();
    }
  }

  private payload(
    body: ResponseBody | undefined,
    bytes: Buffer,
    start: number,
    end: number,
    lifetime: Lifetime,
  ): Buffer {
    if (body?.decoded === true) return body.takeDecoded();
    if (start === end) return EMPTY;
    const part = bytes.subarray(start, end);
    return lifetime === 'ever' ? part : Buffer.from(part);
  }

  private readonly onWantTrailers = (): void => {
    if (this.gone) return;
    this.stream.sendTrailers(asHeaders(this.trailers));
    // They leave in an immediate of their own.
    if (this.onSent !== undefined) setImmediate(this.onSent);
    this.mayTrail = false;
  };

  private readonly onDrain = (): void => {
    if (!this.blocked) return;
    this.blocked = false;
    this.onUnblocked();
  };
}
