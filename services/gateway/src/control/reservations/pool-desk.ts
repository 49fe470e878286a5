import type { Timer } from '@usher/ports';
import type { ReserveResult } from '../../worker/protocol.ts';
import type { Ask, Full } from './ask.ts';
import { AskLine, type Waiting } from './ask-line.ts';
import type { Refusal, ReservationCounts } from './counts.ts';
import { PoolHoldings, type PoolOptions } from './pool-holdings.ts';
import { PoolReserver } from './pool-reserver.ts';

/**
 * How soon those who wait are tried again when nothing was given back here: other gateways do not say what they give back.
 * As much again by chance, so that gateways do not ask all at once.
 */
const LOOK_MS = 25;

type Answer = (ask: Ask, result: ReserveResult) => void;

/** Answers the requests of one pool, in order of arrival once some have to wait. */
export class PoolDesk {
  readonly holdings: PoolHoldings;
  readonly #options: PoolOptions;
  readonly #answer: Answer;
  readonly #reserver: PoolReserver;
  readonly #line: AskLine;
  #serving = false;
  /** There was news of room since the line was looked at. */
  #news = false;
  #look: Timer | undefined;

  constructor(options: PoolOptions, answer: Answer) {
    this.#options = options;
    this.#answer = answer;
    this.holdings = new PoolHoldings(options, {
      room: () => this.#onRoom(),
      link: () => {
        this.#reserver.onLink();
        this.#onRoom();
      },
    });
    this.#reserver = new PoolReserver(options, this.holdings);
    this.#line = new AskLine(options.clock, (waiting) => this.#onLate(waiting));
  }

  get waiting(): number {
    return this.#line.length;
  }

  get counts(): ReservationCounts {
    return this.holdings.counts;
  }

  ask(ask: Ask): void {
    // Whoever has what it needs takes nothing from those before it.
    const has = ask.session !== undefined && this.holdings.held.ofSession(ask.session) !== undefined;
    if (this.#line.length > 0 && !has) this.#wait(ask, { outcome: 'full', short: {} });
    else void this.#serve(ask);
  }

  /** Takes out those who do not wait any more. */
  leave(left: (ask: Ask) => boolean): void {
    this.#line.leaveIf(left);
  }

  async stop(): Promise<void> {
    this.#look?.cancel();
    for (const { ask } of this.#line.leaveIf(() => true))
      this.#refuse(ask, { outcome: 'closed', why: 'stopping' });
    await this.holdings.stop();
  }

  async #serve(ask: Ask): Promise<void> {
    const result = await this.#reserver.attempt(ask);
    if (ask.over) return;
    if (result.outcome === 'full') this.#wait(ask, result);
    else if (result.outcome === 'closed') this.#refuse(ask, result);
    else this.#answer(ask, result);
  }

  #wait(ask: Ask, full: Full): void {
    const { max, timeoutMs } = this.#options.settings()?.queue ?? { max: 0, timeoutMs: 0 };
    if (ask.more || this.#line.length >= max) {
      this.#refuse(ask, full);
      return;
    }
    this.#line.enter(ask, full, timeoutMs);
    if (!this.#serving) this.#lookLater();
  }

  #onRoom(): void {
    this.#news = true;
    if (!this.#serving && this.#line.length > 0) void this.#serveLine();
  }

  async #serveLine(): Promise<void> {
    this.#serving = true;
    for (let first = this.#line.first; first !== undefined; first = this.#line.first) {
      this.#news = false;
      const result = await this.#reserver.attempt(first.ask);
      if (result.outcome === 'full') {
        first.full = result;
        if (this.#news) continue;
        break;
      }
      // It may have left, and then what it got was given back.
      if (!this.#line.leave(first)) continue;
      if (result.outcome === 'closed') this.#refuse(first.ask, result);
      else {
        this.counts.waited(this.#options.clock.steady() - first.sinceMs);
        this.#answer(first.ask, result);
      }
    }
    this.#serving = false;
    if (this.#line.length > 0) this.#lookLater();
  }

  #lookLater(): void {
    const { clock, random } = this.#options;
    this.#look ??= clock.after(LOOK_MS * (1 + random.next()), () => {
      this.#look = undefined;
      this.#onRoom();
    });
  }

  #onLate({ ask, full }: Waiting): void {
    this.counts.refusals.timeout += 1;
    this.#answer(ask, full);
    ask.over = true;
  }

  #refuse(ask: Ask, result: Exclude<ReserveResult, { readonly outcome: 'granted' }>): void {
    const why: Refusal = result.outcome === 'full' ? 'full' : result.why;
    this.counts.refusals[why] += 1;
    this.#answer(ask, result);
  }
}
