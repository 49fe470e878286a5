import { createHash } from 'node:crypto';

/** Lines that are kept to be shown. */
const KEPT_MAX = 400;
const HASHED_AT_ONCE = 32_768;

interface Line {
  readonly atMs: number;
  readonly where: string;
  readonly what: string;
}

/** What happened, line by line. Two runs are the same if their digests are. */
export class Trace {
  readonly #hash = createHash('sha256');
  #unhashed = '';
  readonly #kept: Line[] = [];
  readonly #print: ((line: string) => void) | undefined;

  /** `print`: shows every line as it comes. */
  constructor(print?: (line: string) => void) {
    this.#print = print;
  }

  note(atMs: number, where: string, what: string): void {
    this.#unhashed += `${atMs} ${where}: ${what}\n`;
    if (this.#unhashed.length > HASHED_AT_ONCE) this.#hashAll();
    const line = { atMs, where, what };
    this.#print?.(inWords(line));
    this.#kept.push(line);
    if (this.#kept.length > 2 * KEPT_MAX) this.#kept.splice(0, KEPT_MAX);
  }

  /** The newest lines. */
  get last(): readonly string[] {
    return this.#kept.slice(-KEPT_MAX).map(inWords);
  }

  /** Of all lines so far. */
  digest(): string {
    this.#hashAll();
    return this.#hash.copy().digest('hex');
  }

  #hashAll(): void {
    this.#hash.update(this.#unhashed);
    this.#unhashed = '';
  }
}

function inWords({ atMs, where, what }: Line): string {
  return `${atMs.toFixed(3)} ${where}: ${what}`;
}
