import {
  ChunkedScanner,
  FAULTY,
  type FieldTable,
  HeadBuffer,
  INCOMPLETE,
  parseRequestHead,
  parseResponseHead,
  RequestHead,
  ResponseHead,
} from '@usher/http1';
import type { Reading, ReadMessage } from './reading.ts';

/** What the bytes are: requests, or the response to a request with one of these methods. */
export type Kind = 'requests' | 'response to GET' | 'response to HEAD';

const LIMITS = { headerBytes: 64 * 1024, headerCount: 1000 };
const NOTHING = Buffer.alloc(0);

/** One thread of fuzzing has no use for more. */
const requestHead = new RequestHead();
const responseHead = new ResponseHead();

interface Draft {
  readonly start: string;
  readonly fields: readonly string[];
  readonly last: boolean;
  payload: string;
}

/** Our parsers, fed like a connection feeds them: whole heads at once, others through a `HeadBuffer`, bodies as they come. */
export class OurReader implements Reading {
  readonly messages: ReadMessage[] = [];
  refusal: string | undefined;
  private readonly kind: Kind;
  private partial: HeadBuffer | undefined;
  private draft: Draft | undefined;
  private scanner: ChunkedScanner | undefined;
  private left = 0;
  /** Of a chunked body: its bytes, and where in them the data of its last chunk ended. */
  private wire = '';
  private dataEnd = 0;
  private over = false;

  constructor(kind: Kind) {
    this.kind = kind;
  }

  feed(bytes: Buffer): void {
    let rest = bytes;
    if (this.partial !== undefined) {
      this.partial.append(bytes);
      if (this.partial.findEnd() === INCOMPLETE && this.partial.length < LIMITS.headerBytes) return;
      rest = this.partial.bytes;
      this.partial = undefined;
    }
    while (rest.length > 0 && !this.over && this.refusal === undefined) {
      rest = this.draft === undefined ? this.takeHead(rest) : this.takeBody(this.draft, rest);
    }
  }

  /** The connection has ended. */
  end(): void {
    if (this.draft !== undefined && this.left === Infinity) this.finish(this.draft, []);
  }

  /** What it says once nothing more comes: the message that was cut off counts as incomplete. */
  get reading(): Reading {
    const { draft, messages, refusal } = this;
    if (draft === undefined) return { messages, refusal };
    const { start, fields, payload } = draft;
    return { messages: [...messages, { start, fields, payload, trailers: [], complete: false }], refusal };
  }

  private takeHead(bytes: Buffer): Buffer {
    const end =
      this.kind === 'requests'
        ? parseRequestHead(bytes, bytes.length, LIMITS, requestHead)
        : parseResponseHead(bytes, bytes.length, this.kind === 'response to HEAD', LIMITS, responseHead);
    const head = this.kind === 'requests' ? requestHead : responseHead;
    if (end === FAULTY) {
      this.refusal = head.fault.detail;
      return NOTHING;
    }
    if (end === INCOMPLETE) {
      this.partial = new HeadBuffer();
      this.partial.append(bytes);
      this.partial.findEnd();
      return NOTHING;
    }
    this.left = head.body === 'close' ? Infinity : head.length;
    this.scanner = head.body === 'chunked' ? this.newScanner() : undefined;
    this.draft = this.kind === 'requests' ? requestDraft() : responseDraft();
    if (this.left === 0 && this.scanner === undefined) this.finish(this.draft, []);
    return bytes.subarray(end);
  }

  private newScanner(): ChunkedScanner {
    this.wire = '';
    this.dataEnd = 0;
    return new ChunkedScanner((bytes, start, end) => {
      if (this.draft !== undefined) this.draft.payload += latin1(bytes, start, end);
      this.dataEnd = this.wire.length + end;
    });
  }

  private takeBody(draft: Draft, bytes: Buffer): Buffer {
    const { scanner } = this;
    if (scanner === undefined) {
      const taken = Math.min(this.left, bytes.length);
      draft.payload += latin1(bytes, 0, taken);
      this.left -= taken;
      if (this.left === 0) this.finish(draft, []);
      return bytes.subarray(taken);
    }
    const end = scanner.scan(bytes, 0, bytes.length);
    if (end === FAULTY) {
      this.refusal = scanner.fault.detail;
      return NOTHING;
    }
    this.wire += latin1(bytes, 0, end);
    if (scanner.complete) this.finish(draft, trailersOf(this.wire.slice(this.dataEnd), this.dataEnd > 0));
    return bytes.subarray(end);
  }

  private finish(draft: Draft, trailers: readonly string[]): void {
    const { start, fields, payload, last } = draft;
    this.messages.push({ start, fields, payload, trailers, complete: true });
    this.draft = undefined;
    this.over = last;
  }
}

function requestDraft(): Draft {
  const { text, fields, method, targetEnd, lineStart, persistent } = requestHead;
  const target = text.slice(lineStart + method.length + 1, targetEnd);
  return { start: `${method} ${target}`, fields: fieldsOf(text, fields), last: !persistent, payload: '' };
}

function responseDraft(): Draft {
  const { text, fields, status, lineEnd, statusStart } = responseHead;
  const reason = text.slice(statusStart + 4, lineEnd);
  const last = status >= 200 || status === 101;
  return { start: `${status} ${reason}`, fields: fieldsOf(text, fields), last, payload: '' };
}

function fieldsOf(text: string, fields: FieldTable): string[] {
  const list: string[] = [];
  for (let line = 0; line < fields.count; line++) {
    list.push(text.slice(fields.nameStart(line), fields.nameEnd(line)));
    list.push(text.slice(fields.valueStart(line), fields.valueEnd(line)));
  }
  return list;
}

/** `tail` is valid and begins behind the data of the last chunk, or with the size line when there was no data. */
function trailersOf(tail: string, behindData: boolean): string[] {
  const lines = tail.split('\r\n').slice(behindData ? 2 : 1, -2);
  return lines.flatMap((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).replaceAll(/^[\t ]+|[\t ]+$/g, '')];
  });
}

function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
}
