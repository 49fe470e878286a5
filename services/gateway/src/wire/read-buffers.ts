/** What one read takes at most. */
export const READ_BYTES = 64 * 1024;

/** From this many bytes in one read on, a body is worth a buffer of its own. */
const BULK_BYTES_MIN = 16 * 1024;
const SPARE_MAX = 64;

/**
 * How long bytes that were read stay as they are: only during the `call` that reports them; as long as the connection
 * they came from is `paused`; or for `ever`.
 */
export type Lifetime = 'call' | 'paused' | 'ever';

/** The buffers that one worker's sockets read into. */
export class ReadBuffers {
  readonly shared = Buffer.allocUnsafeSlow(READ_BYTES);
  private readonly spare: Buffer[] = [];

  takeBulk(): Buffer {
    return this.spare.pop() ?? Buffer.allocUnsafeSlow(READ_BYTES);
  }

  giveBack(bulk: Buffer): void {
    if (this.spare.length < SPARE_MAX) this.spare.push(bulk);
  }
}

/**
 * Where one socket reads into. Normally that is the buffer that all share, since what was read is used up before the
 * next read; so bytes that have to wait must be copied. During a long body it is a buffer of its own, from which bytes
 * are written without a copy: the socket is simply not read while they wait.
 */
export class ReadTarget {
  private readonly buffers: ReadBuffers;
  private bulk: Buffer | undefined;

  constructor(buffers: ReadBuffers) {
    this.buffers = buffers;
  }

  get lifetime(): Lifetime {
    return this.bulk === undefined ? 'call' : 'paused';
  }

  /** For the next read. */
  readonly next = (): Buffer => this.bulk ?? this.buffers.shared;

  /** To be called after a read of which more of the same body will follow. */
  expectMore(length: number): void {
    if (length >= BULK_BYTES_MIN && this.bulk === undefined) this.bulk = this.buffers.takeBulk();
  }

  /** The body is over. `queued`: bytes of it still wait to be written, so its buffer cannot be used for another. */
  bodyOver(queued: boolean): void {
    if (this.bulk === undefined) return;
    if (!queued) this.buffers.giveBack(this.bulk);
    this.bulk = undefined;
  }
}
