import { type EventDraft, envelop, eventSubject } from '@usher/events';
import type { ServiceContext } from '@usher/ports';
import { type Outage, Outages } from '@usher/runtime';

/**
 * Watches what of the fleet this process does without. When it begins and when it is over goes to its log and to the event
 * log, which hears of its own outage when that is over.
 */
export function watchOutages(context: ServiceContext): Outages {
  const { instance, clock, random, outbox, log, metrics } = context;
  const onChange = ({ part, sinceMs, what }: Outage, over: boolean): void => {
    const nowMs = clock.now();
    const about = { process: instance, part, sinceMs: Math.floor(sinceMs) };
    if (over) log.warn('an outage is over', { part, forMs: nowMs - sinceMs });
    else log.error(what, { part });
    const draft: EventDraft = over
      ? { type: 'process.recovered', subject: instance, data: about }
      : { type: 'process.degraded', subject: instance, data: { ...about, cause: what } };
    const origin = { source: `usher/process/${instance}`, timeMs: nowMs, actor: instance };
    // A full outbox takes no more; the metric and the log have it all the same.
    outbox.offer(
      eventSubject('process', instance),
      envelop([draft], origin, () => random.uuid()),
    );
  };
  const outages = new Outages({ ...context, onChange });
  outages.exposeMetrics(metrics);
  outages.start();
  return outages;
}
