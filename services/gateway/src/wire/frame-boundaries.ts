const FIXED_BYTES = 2;
const MASK_BYTES = 4;
const MASKED = 0x80;
const LENGTH_BITS = 0x7f;

/** Finds where the frames of one direction of a WebSocket end (RFC 6455 section 5.2). It looks at their headers only. */
export class FrameBoundaries {
  /** Bytes of the present header that were seen, and how many it has as far as is known. */
  private seen = 0;
  private needed = FIXED_BYTES;
  private lengthEnd = FIXED_BYTES;
  private length = 0;
  /** Of the payload. */
  private left = 0;

  /** What was followed so far ends with a frame. */
  get atBoundary(): boolean {
    return this.left === 0 && this.seen === 0;
  }

  /** Follows `bytes[0..count)`; answers with the offset behind the last frame that ends in them, -1 when none does. */
  follow(bytes: Uint8Array, count: number): number {
    let boundary = -1;
    let i = 0;
    while (i < count) {
      if (this.left > 0) {
        const taken = Math.min(this.left, count - i);
        this.left -= taken;
        i += taken;
      } else {
        this.step(bytes[i]!);
        i++;
      }
      if (this.atBoundary) boundary = i;
    }
    return boundary;
  }

  private step(byte: number): void {
    const at = this.seen++;
    if (at === 1) this.takeLength(byte);
    else if (at > 1 && at < this.lengthEnd) this.length = this.length * 256 + byte;
    if (this.seen < this.needed) return;
    this.left = this.length;
    this.seen = 0;
    this.needed = FIXED_BYTES;
  }

  private takeLength(byte: number): void {
    const short = byte & LENGTH_BITS;
    const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
    this.length = extended === 0 ? short : 0;
    this.lengthEnd = FIXED_BYTES + extended;
    this.needed = this.lengthEnd + ((byte & MASKED) === 0 ? 0 : MASK_BYTES);
  }
}
