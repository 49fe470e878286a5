import { type BodyKind, ChunkedScanner, FAULTS, FAULTY, type Framing, type HttpFault } from '@usher/http1';

/** The body of one response: finds its end, and takes it out of its chunks for a client that does not know them. */
export class ResponseBody {
  /** Whether the chunked coding is removed on the way. */
  readonly decoded: boolean;
  readonly kind: BodyKind;
  complete: boolean;
  private left: number;
  private payload: Buffer[] = [];
  private readonly scanner: ChunkedScanner | undefined;

  constructor(framing: Framing, decode: boolean) {
    this.kind = framing.body;
    this.left = framing.length;
    this.complete = framing.body === 'none';
    this.decoded = decode && framing.body === 'chunked';
    if (framing.body !== 'chunked') return;
    this.scanner = new ChunkedScanner(
      this.decoded
        ? (bytes, start, end) => this.payload.push(Buffer.from(bytes.subarray(start, end)))
        : undefined,
    );
  }

  /** Why `take` was FAULTY. */
  get fault(): HttpFault {
    return this.scanner?.fault ?? FAULTS.chunkSize;
  }

  /** The trailer section once it is complete, when the coding is removed: lines that end in LF alone. */
  get trailers(): string {
    return this.scanner?.trailers ?? '';
  }

  /** Takes what belongs to the body from `bytes[start..end)`; answers with the offset after it, or FAULTY. */
  take(bytes: Buffer, start: number, end: number): number {
    if (this.scanner !== undefined) {
      const to = this.scanner.scan(bytes, start, end);
      this.complete = to !== FAULTY && this.scanner.complete;
      return to;
    }
    if (this.kind === 'close') return end;
    const taken = Math.min(this.left, end - start);
    this.left -= taken;
    this.complete = this.left === 0;
    return start + taken;
  }

  /** The payload taken since the last call, when the coding is removed. */
  takeDecoded(): Buffer {
    const payload = Buffer.concat(this.payload);
    this.payload = [];
    return payload;
  }
}
