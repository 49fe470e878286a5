import { until } from '../support/wait.ts';
import { KeptConnection } from './kept-connection.ts';

const TICK_MS = 2;
/** When a tick comes later than this after the last, this process did not get the processor. */
const GAP_MS_MAX = 5;
const LIMIT_MS = 600_000;

/**
 * How long requests took that were due at a steady rate, however long the ones before them took: when no connection is
 * free, waiting for one counts. Requests that were under way while this process itself was held up are left out, since
 * nobody can say how long those took.
 */
export class PacedLoad {
  failures = 0;
  /** Requests that were left out. */
  spoiled = 0;
  readonly #latenciesMs: number[] = [];
  /** Answered since the last tick. */
  #fresh: number[] = [];
  /** How often this process was held up. */
  #gaps = 0;
  readonly #path: string;
  readonly #ratePerS: number;
  readonly #all: readonly KeptConnection[];
  /** Used in turn, so that none is idle for long. */
  readonly #free: KeptConnection[];
  /** When the requests that wait for a connection were due, oldest first. */
  readonly #due: number[] = [];
  #underWay = 0;

  constructor(port: number, path: string, ratePerS: number, connections: number) {
    this.#path = path;
    this.#ratePerS = ratePerS;
    this.#all = Array.from({ length: connections }, (_, place) => new KeptConnection(port, place));
    this.#free = [...this.#all];
  }

  get requests(): number {
    return this.#latenciesMs.length + this.spoiled;
  }

  /** Makes requests until `over`; resolves when all of them are answered. */
  async run(over: () => boolean): Promise<void> {
    const startMs = performance.now();
    let begun = 0;
    let tickMs = startMs;
    const timer = setInterval(() => {
      const nowMs = performance.now();
      this.#settle(nowMs - tickMs > GAP_MS_MAX);
      tickMs = nowMs;
      for (; begun < ((nowMs - startMs) / 1000) * this.#ratePerS; begun++) this.#due.push(nowMs);
      this.#serve();
    }, TICK_MS);
    await until('the load is over', over, LIMIT_MS);
    clearInterval(timer);
    await until('all requests are answered', () => this.#due.length === 0 && this.#underWay === 0);
    this.#settle(false);
  }

  /** How long `share` of the requests took at most, in milliseconds. */
  percentileMs(share: number): number {
    const sorted = this.#latenciesMs.toSorted((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  }

  close(): void {
    for (const connection of this.#all) connection.close();
  }

  #settle(heldUp: boolean): void {
    if (heldUp) {
      this.#gaps += 1;
      this.spoiled += this.#fresh.length;
    } else {
      this.#latenciesMs.push(...this.#fresh);
    }
    this.#fresh = [];
  }

  #serve(): void {
    while (this.#due.length > 0 && this.#free.length > 0)
      void this.#ask(this.#free.shift()!, this.#due.shift()!);
  }

  async #ask(connection: KeptConnection, dueMs: number): Promise<void> {
    this.#underWay += 1;
    const gaps = this.#gaps;
    if (!(await connection.ask(this.#path))) this.failures += 1;
    if (gaps === this.#gaps) this.#fresh.push(performance.now() - dueMs);
    else this.spoiled += 1;
    this.#free.push(connection);
    this.#underWay -= 1;
    this.#serve();
  }
}
