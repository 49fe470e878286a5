import { REPLAY_BYTES_MAX } from '../wire/request-body.ts';

/** The body of a request as it comes, for somebody else than the backend that it goes to. */
export class BodyCopy {
  pieces: Buffer[];
  bytes: number;
  #whole: boolean | undefined;
  #onWhole: ((whole: boolean) => void) | undefined;

  /** `pieces`: what is there already, which nobody changes any more; `done`: that is all. */
  constructor(pieces: readonly Buffer[], done: boolean) {
    this.pieces = [...pieces];
    this.bytes = pieces.reduce((sum, { length }) => sum + length, 0);
    if (this.bytes > REPLAY_BYTES_MAX) this.#settle(false);
    else if (done) this.#settle(true);
  }

  /** Calls back once: with true when all of it is there, with false when it is too long to be kept. Never if its client leaves. */
  whenWhole(onWhole: (whole: boolean) => void): void {
    if (this.#whole === undefined) this.#onWhole = onWhole;
    else onWhole(this.#whole);
  }

  /** Takes the next part, `bytes[from..to)`. */
  add(bytes: Buffer, from: number, to: number, done: boolean): void {
    if (this.#whole !== undefined) return;
    this.bytes += to - from;
    if (this.bytes > REPLAY_BYTES_MAX) {
      this.#settle(false);
      return;
    }
    if (to > from) this.pieces.push(Buffer.from(bytes.subarray(from, to)));
    if (done) this.#settle(true);
  }

  #settle(whole: boolean): void {
    this.#whole = whole;
    if (!whole) this.pieces = [];
    this.#onWhole?.(whole);
    this.#onWhole = undefined;
  }
}
