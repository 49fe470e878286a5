import type { EventDraft } from '@usher/events';
import type { BreakerNews } from '../table/breaker-news.ts';
import type { Facts } from './facts.ts';

/** Tells the log what the gateway's breakers did; of what could not be told at once, only the newest per backend. */
export class BreakerReports {
  readonly #gateway: string;
  readonly #facts: Facts;
  readonly #untold = new Map<string, BreakerNews>();

  constructor(gateway: string, facts: Facts) {
    this.#gateway = gateway;
    this.#facts = facts;
  }

  tell(news: BreakerNews): void {
    if (!this.#facts.tell(this.#draft(news))) this.#untold.set(news.backend, news);
    else this.#untold.delete(news.backend);
  }

  /** Tries again with what could not be told. */
  retell(): void {
    for (const news of this.#untold.values()) this.tell(news);
  }

  #draft(news: BreakerNews): EventDraft {
    const gateway = this.#gateway;
    const { backend } = news;
    if (news.kind === 'recovered')
      return { type: 'breaker.recovered', subject: backend, data: { backend, gateway } };
    const { failures, requests, untilMs } = news;
    return {
      type: 'breaker.tripped',
      subject: backend,
      data: { backend, gateway, failures, requests, untilMs },
    };
  }
}
