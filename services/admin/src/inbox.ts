/** A line for a reader, and where in the log it ends. */
export interface Line {
  readonly text: string;
  readonly position: number;
}

/** What waits for one reader: bounded, so that a reader that stands still costs no more than that. */
export class Inbox {
  readonly #charsMax: number;
  #lines: Line[] = [];
  #chars = 0;
  #overflowed = false;
  #wake: (() => void) | undefined;

  constructor(charsMax: number) {
    this.#charsMax = charsMax;
  }

  /** Whether a line was turned away for want of room. None is taken after that: what is taken has no gaps. */
  get overflowed(): boolean {
    return this.#overflowed;
  }

  offer(line: Line): void {
    if (this.#chars + line.text.length > this.#charsMax) this.#overflowed = true;
    if (!this.#overflowed) {
      this.#lines.push(line);
      this.#chars += line.text.length;
    }
    this.wake();
  }

  /** What waits, and no longer does. */
  take(): readonly Line[] {
    const lines = this.#lines;
    this.#lines = [];
    this.#chars = 0;
    return lines;
  }

  /** Resolves when there is something new, or at the next `wake`. */
  async news(): Promise<void> {
    if (this.#lines.length > 0 || this.#overflowed) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }

  wake(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}
