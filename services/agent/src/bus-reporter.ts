import { STATS_PREFIX } from '@usher/events';
import type { MessageBus } from '@usher/ports';
import type { Reporter } from './reporter.ts';

/** Reports over the message bus, to `usher.stats.<backend>`. */
export function busReporter(bus: MessageBus, backend: string): Reporter {
  const subject = `${STATS_PREFIX}.${backend}`;
  return {
    send: (report) => bus.publish(subject, report),
    fault: () => undefined,
    stop: async () => undefined,
  };
}
