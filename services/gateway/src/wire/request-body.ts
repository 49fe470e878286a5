import type { LimitSettings } from '@usher/domain';
import { ChunkedScanner, FAULTS, FAULTY, type Framing, type HttpFault } from '@usher/http1';
import { BodyPace } from './body-pace.ts';
import type { Lifetime } from './read-buffers.ts';

/** As much of a request's body is kept so that it can be sent again. */
export const REPLAY_BYTES_MAX = 64 * 1024;

/** Hears of every part of a body, `bytes[from..to)`, and of its end. */
interface BodyTap {
  add(bytes: Buffer, from: number, to: number, done: boolean): void;
}

type BodyLimits = Pick<LimitSettings, 'bodyRateBytesPerS'>;

const NO_LIMITS: BodyLimits = { bodyRateBytesPerS: 0 };
const TOO_LARGE: HttpFault = { code: 'body_too_large', detail: '' };

/** The body of one request: finds its end, bounds it, and keeps its beginning for another attempt. */
export class RequestBody {
  /** All of it has been received. */
  done: boolean;
  fault: HttpFault = FAULTS.chunkSize;
  /** What was received, in order, until `forget`. */
  kept: Buffer[] = [];
  keptBytes = 0;
  /** `kept` is the whole body so far. */
  replayable = true;
  /** Undefined when it may come as slowly as the client likes. */
  readonly pace: BodyPace | undefined;
  /** Takes everything too that comes from now on; undefined unless somebody wants it. */
  copy: BodyTap | undefined;
  private unpacedBytes = 0;
  private left: number;
  private readonly scanner: ChunkedScanner | undefined;
  private readonly payloadMax: number;

  /** Undefined for a request without body. `bytesMax`: 0 = unlimited. */
  static of(
    framing: Framing,
    limits: LimitSettings,
    nowMs: number,
    bytesMax = limits.requestBodyBytes,
  ): RequestBody | undefined {
    return framing.body === 'none' ? undefined : new RequestBody(framing, limits, nowMs, bytesMax);
  }

  /** A body that is there already. */
  static whole(pieces: readonly Buffer[]): RequestBody {
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    const body = new RequestBody({ body: 'length', length }, NO_LIMITS, 0, 0);
    for (const piece of pieces) body.keep(piece, 0, piece.length, 'ever');
    body.done = true;
    return body;
  }

  private constructor(framing: Framing, limits: BodyLimits, nowMs: number, bytesMax: number) {
    const { bodyRateBytesPerS } = limits;
    this.left = framing.length;
    this.scanner = framing.body === 'chunked' ? new ChunkedScanner() : undefined;
    this.payloadMax = bytesMax === 0 ? Infinity : bytesMax;
    if (bodyRateBytesPerS > 0) this.pace = new BodyPace(bodyRateBytesPerS, nowMs);
    this.done = this.scanner === undefined && this.left === 0;
  }

  /** Takes what belongs to the body from `bytes[from..end)`; answers with the offset after it, or FAULTY with `fault` set. */
  take(bytes: Buffer, from: number, end: number): number {
    const { scanner } = this;
    this.unpacedBytes += end - from;
    if (scanner === undefined) {
      if (this.left > this.payloadMax) return this.refuse(TOO_LARGE);
      const taken = Math.min(this.left, end - from);
      this.left -= taken;
      this.done = this.left === 0;
      this.copy?.add(bytes, from, from + taken, this.done);
      return from + taken;
    }
    const to = scanner.scan(bytes, from, end);
    this.done = scanner.complete;
    if (to !== FAULTY && scanner.payloadBytes <= this.payloadMax) {
      this.copy?.add(bytes, from, to, this.done);
      return to;
    }
    return this.refuse(to === FAULTY ? scanner.fault : TOO_LARGE);
  }

  /** When the client has to have sent more of it: `idleMs` after the last part, or earlier by its pace. */
  dueMs(nowMs: number, idleMs: number): number {
    const bytes = this.unpacedBytes;
    this.unpacedBytes = 0;
    return Math.min(nowMs + idleMs, this.pace?.received(bytes, nowMs) ?? Infinity);
  }

  /** Keeps `bytes[from..to)` for sending it later, or again. */
  keep(bytes: Buffer, from: number, to: number, lifetime: Lifetime): void {
    if (!this.replayable || to === from) return;
    const piece = bytes.subarray(from, to);
    this.kept.push(lifetime === 'ever' ? piece : Buffer.from(piece));
    this.keptBytes += to - from;
  }

  /** Gives up sending it again. */
  forget(): void {
    this.replayable = false;
    this.kept = [];
    this.keptBytes = 0;
  }

  private refuse(fault: HttpFault): number {
    this.fault = fault;
    // Whatever follows cannot be told from the body any more, even when its end was among the bytes.
    this.done = false;
    return FAULTY;
  }
}
