import { HeadBuffer, type HeadLimits, INCOMPLETE, parseRequestHead, type RequestHead } from '@usher/http1';

const EMPTY = Buffer.alloc(0);

/** What was read from a client and not used yet: the next requests, of which the first may be cut off anywhere. */
export class RequestInput {
  /** From the beginning of the next request; complete only when `next` found a head. */
  bytes: Buffer = EMPTY;
  /** A head that does not end in what was read so far. */
  private partial: HeadBuffer | undefined;

  /** Bytes that no head has used. */
  get length(): number {
    return this.partial === undefined ? this.bytes.length : this.partial.length;
  }

  get isEmpty(): boolean {
    return this.bytes.length === 0 && this.partial === undefined;
  }

  /** A request has begun and its head has not ended. */
  get inHead(): boolean {
    return this.partial !== undefined;
  }

  feed(chunk: Buffer): void {
    if (this.partial !== undefined) this.partial.append(chunk);
    else this.bytes = this.bytes.length === 0 ? chunk : Buffer.concat([this.bytes, chunk]);
  }

  /** Parses the next head into `head`. Answers like `parseRequestHead`, with offsets into `bytes`. */
  next(limits: HeadLimits, head: RequestHead): number {
    const { partial } = this;
    if (partial !== undefined) {
      if (partial.findEnd() === INCOMPLETE && partial.length < limits.headerBytes) return INCOMPLETE;
      this.bytes = partial.bytes;
      this.partial = undefined;
    }
    const end = parseRequestHead(this.bytes, this.bytes.length, limits, head);
    if (end === INCOMPLETE) {
      this.partial = new HeadBuffer();
      this.partial.append(this.bytes);
      this.partial.findEnd();
      this.bytes = EMPTY;
    }
    return end;
  }

  /** Drops what is used: everything before `to`. */
  consume(to: number): void {
    this.bytes = to === this.bytes.length ? EMPTY : this.bytes.subarray(to);
  }

  clear(): void {
    this.bytes = EMPTY;
    this.partial = undefined;
  }
}
