import { BYTE } from './chars.ts';
import { FAULTY, INCOMPLETE } from './field-table.ts';

const CAPACITY_BYTES_MIN = 1024;

/**
 * Collects a head that did not arrive in one piece. Each byte is copied and searched once, however small the pieces
 * are, so feeding a head byte by byte costs no more than its length.
 */
export class HeadBuffer {
  private store = Buffer.allocUnsafeSlow(CAPACITY_BYTES_MIN);
  private used = 0;
  private searched = 0;
  private lineStart = 0;
  private lines = 0;

  get length(): number {
    return this.used;
  }

  /** What was collected. Stays valid after further appends, but does not see them. */
  get bytes(): Buffer {
    return this.store.subarray(0, this.used);
  }

  append(bytes: Uint8Array): void {
    const needed = this.used + bytes.length;
    if (needed > this.store.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.store.length * 2));
      this.store.copy(grown, 0, 0, this.used);
      this.store = grown;
    }
    this.store.set(bytes, this.used);
    this.used = needed;
  }

  /**
   * Goes on searching for the empty line that ends a head; empty lines before the head do not. Answers with the offset
   * after it, INCOMPLETE, or FAULTY at an LF without CR: then parsing what is there tells what is wrong.
   */
  findEnd(): number {
    const store = this.store;
    for (;;) {
      const feed = store.subarray(0, this.used).indexOf(BYTE.lf, this.searched);
      if (feed < 0) {
        this.searched = this.used;
        return INCOMPLETE;
      }
      if (feed === this.lineStart || store[feed - 1] !== BYTE.cr) return FAULTY;
      const empty = feed - 1 === this.lineStart;
      this.searched = feed + 1;
      this.lineStart = feed + 1;
      if (!empty) this.lines++;
      else if (this.lines > 0) return feed + 1;
    }
  }
}
