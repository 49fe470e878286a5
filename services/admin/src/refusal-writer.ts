import type { AdminRefusals } from '@usher/domain';
import { type EventDraft, envelop, eventSubject } from '@usher/events';
import type { ServiceContext } from '@usher/ports';

/** Writes what the admin API refused to the event log. Answers false while the outbox is full. */
export function refusalWriter(context: ServiceContext): (refusals: AdminRefusals) => boolean {
  const { instance, outbox, clock, random } = context;
  return ({ windowMs, count, refusals }) => {
    const data = { instance, windowMs, count, refusals: [...refusals] };
    const draft: EventDraft = { type: 'admin.refused', subject: instance, data };
    const envelope = { source: `usher/admin/${instance}`, timeMs: clock.now(), actor: 'admin' };
    return outbox.offer(
      eventSubject('admin', instance),
      envelop([draft], envelope, () => random.uuid()),
    );
  };
}
