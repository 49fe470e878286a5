import { HeadBuffer, type HeadLimits, INCOMPLETE, parseRequestHead, type RequestHead } from '@usher/http1';
import type { Lifetime } from './read-buffers.ts';

const EMPTY = Buffer.alloc(0);

/** What was read from a client and not used yet: the next requests, of which the first may be cut off anywhere. */
export class RequestInput {
  /** The next request begins at `bytes[0]`, what was read ends before `bytes[end]`. */
  bytes: Buffer = EMPTY;
  end = 0;
  lifetime: Lifetime = 'ever';
  /** A head that does not end in what was read so far. */
  private partial: HeadBuffer | undefined;

  /** Bytes that no request has used. */
  get length(): number {
    return this.partial === undefined ? this.end : this.partial.length;
  }

  get isEmpty(): boolean {
    return this.end === 0 && this.partial === undefined;
  }

  /** A request has begun and its head has not ended. */
  get inHead(): boolean {
    return this.partial !== undefined;
  }

  /** Adds `bytes[start..end)`. Unless they live for ever, `own` must be called before they change. */
  feed(bytes: Buffer, start: number, end: number, lifetime: Lifetime): void {
    if (this.partial !== undefined) {
      this.partial.append(bytes.subarray(start, end));
    } else if (this.end === 0) {
      this.bytes = start === 0 ? bytes : bytes.subarray(start, end);
      this.end = end - start;
      this.lifetime = lifetime;
    } else {
      this.replace(Buffer.concat([this.bytes.subarray(0, this.end), bytes.subarray(start, end)]));
    }
  }

  /** Makes sure that what is left stays as it is. */
  own(): void {
    if (this.end > 0 && this.lifetime !== 'ever') this.replace(Buffer.from(this.bytes.subarray(0, this.end)));
  }

  /** Parses the next head into `head`. Answers like `parseRequestHead`, with offsets into `bytes`. */
  next(limits: HeadLimits, head: RequestHead): number {
    const { partial } = this;
    if (partial !== undefined) {
      if (partial.findEnd() === INCOMPLETE && partial.length < limits.headerBytes) return INCOMPLETE;
      this.partial = undefined;
      this.replace(partial.bytes);
    }
    const headEnd = parseRequestHead(this.bytes, this.end, limits, head);
    if (headEnd === INCOMPLETE) {
      const begun = new HeadBuffer();
      begun.append(this.bytes.subarray(0, this.end));
      begun.findEnd();
      this.clear();
      this.partial = begun;
    }
    return headEnd;
  }

  /** Drops what is used: everything before `to`. */
  consume(to: number): void {
    if (to === this.end) {
      this.clear();
    } else {
      this.bytes = this.bytes.subarray(to, this.end);
      this.end -= to;
    }
  }

  /** Gives up what is left, for somebody else to read. There must be no partial head. */
  takeAll(): Buffer {
    this.own();
    const all = this.bytes.subarray(0, this.end);
    this.clear();
    return all;
  }

  clear(): void {
    this.bytes = EMPTY;
    this.end = 0;
    this.partial = undefined;
  }

  private replace(bytes: Buffer): void {
    this.bytes = bytes;
    this.end = bytes.length;
    this.lifetime = 'ever';
  }
}
