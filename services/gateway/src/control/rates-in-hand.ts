import type { Clock, Timer } from '@usher/ports';
import type { RateCells } from '../rate/rate-cells.ts';
import type { RateRule } from '../rate/rate-rule.ts';

const LOOK_MS = 1_000;
/** Who has not sent anything for so long does not need what is in hand for him. */
const UNUSED_MS = 5_000;
/** Clients for whom it is known that something is in hand; what is in hand for others stays until it is used. */
const KNOWN_MAX = 50_000;

interface InHand {
  readonly rule: RateRule;
  readonly key: string;
  readonly inHand: number;
  readonly sinceMs: number;
}

/** Gives back to the store what was taken for clients who do not come, at least not here. */
export class RatesInHand {
  readonly #cells: RateCells;
  readonly #clock: Clock;
  readonly #give: (rule: RateRule, key: string, unused: number) => void;
  readonly #known = new Map<string, InHand>();
  #timer: Timer | undefined;

  constructor(cells: RateCells, clock: Clock, give: (rule: RateRule, key: string, unused: number) => void) {
    this.#cells = cells;
    this.#clock = clock;
    this.#give = give;
  }

  start(): void {
    this.#timer = this.#clock.every(LOOK_MS, () => this.#look());
  }

  /** Gives back everything. */
  stop(): void {
    this.#timer?.cancel();
    for (const { rule, key } of this.#known.values()) this.#giveBack(rule, key);
    this.#known.clear();
  }

  /** Something was put in hand for a client. */
  note(rule: RateRule, key: string): void {
    const name = `${rule.id} ${key}`;
    if (this.#known.size >= KNOWN_MAX && !this.#known.has(name)) return;
    const inHand = this.#cells.inHand(rule.id, key);
    this.#known.set(name, { rule, key, inHand, sinceMs: this.#clock.steady() });
  }

  #look(): void {
    const nowMs = this.#clock.steady();
    for (const [name, known] of this.#known) {
      const { rule, key, sinceMs } = known;
      const inHand = this.#cells.inHand(rule.id, key);
      if (inHand !== known.inHand) this.#known.set(name, { ...known, inHand, sinceMs: nowMs });
      else if (nowMs - sinceMs >= UNUSED_MS) {
        this.#known.delete(name);
        this.#giveBack(rule, key);
      }
    }
  }

  #giveBack(rule: RateRule, key: string): void {
    const unused = this.#cells.takeBack(rule.id, key);
    if (unused > 0) this.#give(rule, key, unused);
  }
}
