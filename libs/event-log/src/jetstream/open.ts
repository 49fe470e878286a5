import type { OpenLog } from '../open-log.ts';
import { NatsBus } from './bus.ts';
import type { JetStreamOptions } from './connection-options.ts';
import { JetStreamEventLog } from './jetstream-log.ts';
import { Link } from './link.ts';

/**
 * Opens the log in NATS. Resolves after the first attempt to connect: without a server it goes on trying, and the
 * status says so. Throws what waiting does not mend: unusable credentials, a server that refuses us or is too old.
 */
export async function openJetStream(options: JetStreamOptions): Promise<OpenLog> {
  const link = new Link(options);
  const events = new JetStreamEventLog(link);
  const bus = new NatsBus(link);
  await link.start();
  return { events, bus, close: () => events.close() };
}
