/**
 * What one read takes at most. What was read is written in one piece, and the kernel's largest segment is a little shorter
 * than 64 KiB: a write of 64 KiB would be cut into one large and one tiny segment, which costs half as much again. This
 * leaves room in the segment for the head of a response. Smaller ones mean more reads and writes for the same bytes.
 */
const READ_BYTES = 62 * 1024;

/** From this many bytes in one read on, copying them costs more than a buffer of one's own. */
const OWN_BYTES_MIN = 4 * 1024;
const SHORT_READS_MAX = 8;
/** Buffers kept for the next socket that wants one. */
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

  take(): Buffer {
    return this.spare.pop() ?? Buffer.allocUnsafeSlow(READ_BYTES);
  }

  giveBack(buffer: Buffer): void {
    if (this.spare.length < SPARE_MAX) this.spare.push(buffer);
  }
}

/**
 * Where one socket reads into. Normally that is the buffer that all share, since what was read is used up before the
 * next read; so bytes that have to wait must be copied. A socket that reads much at a time gets a buffer of its own, from
 * which bytes are written without a copy: it is simply not read while they wait.
 */
export class ReadTarget {
  private readonly buffers: ReadBuffers;
  private own: Buffer | undefined;
  /** Reads in a row that needed no buffer of its own. */
  private shortReads = 0;

  constructor(buffers: ReadBuffers) {
    this.buffers = buffers;
  }

  get lifetime(): Lifetime {
    return this.own === undefined ? 'call' : 'paused';
  }

  /** For the next read. */
  readonly next = (): Buffer => this.own ?? this.buffers.shared;

  /** To be called after each read. The last read of a long body is short, so a short one alone changes nothing. */
  afterRead(length: number): void {
    if (length >= OWN_BYTES_MIN) {
      this.shortReads = 0;
      this.own ??= this.buffers.take();
    } else if (this.own !== undefined && ++this.shortReads > SHORT_READS_MAX) {
      this.share();
    }
  }

  /** Bytes of its buffer wait to be written although the socket is going to be read. */
  abandon(): void {
    this.own = undefined;
  }

  /** Reads into the shared buffer again. Nothing of its own buffer may wait to be written. */
  share(): void {
    if (this.own === undefined) return;
    this.buffers.giveBack(this.own);
    this.own = undefined;
  }
}
