/** What one read from a backend takes at most. */
export const READ_BYTES = 64 * 1024;

/** From this many bytes in one read on, a response is worth a buffer of its own. */
export const BULK_BYTES_MIN = 16 * 1024;

const SPARE_MAX = 64;

/**
 * The buffers that backends' sockets read into. Normally all share one, since what was read is used up before the next
 * read; so bytes that may have to wait in a client's write queue must be copied. A long response gets its own buffer,
 * from which bytes are written without a copy: its backend is simply not read while they wait.
 */
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
