import type { EventDraft } from '@usher/events';
import type { BreakerNews } from '../table/breaker-news.ts';

/** What the log hears of a gateway's own breaker. */
export function breakerFact(gateway: string, news: BreakerNews): EventDraft {
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
