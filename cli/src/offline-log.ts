import type { LocalSettings } from '@usher/config';
import { inspectEmbedded, openEmbeddedReader, openJetStream } from '@usher/event-log';
import { createLog, systemClock } from '@usher/runtime';

/** The event log as it is, read without the running system. */
export type OfflineLog = Pick<Awaited<ReturnType<typeof openEmbeddedReader>>, 'replay' | 'close'> & {
  /** What the log lacks, a sentence each. */
  inspect(): Promise<readonly string[]>;
};

/** Opens the log that a configuration names. */
export async function openOfflineLog(local: LocalSettings): Promise<OfflineLog> {
  if (local.bus.type === 'embedded') {
    const { data } = local;
    return { ...(await openEmbeddedReader(data)), inspect: async () => await inspectEmbedded(data) };
  }
  const clock = systemClock();
  const log = createLog({ ...local.logging, level: 'error', clock });
  const { servers, credentials, ca } = local.bus;
  const opened = await openJetStream({ servers, credentials, ca, name: `${local.name}-replay`, log, clock });
  return {
    inspect: async () => {
      const { fault } = opened.events.status();
      return fault === undefined ? [] : [fault];
    },
    replay: async (after, apply, until) => await opened.events.replay(after, apply, until),
    close: async () => {
      await opened.close();
      log.close();
    },
  };
}
