import type { MessageBus } from '@usher/ports';
import { NatsBus } from './bus.ts';
import type { JetStreamOptions } from './connection-options.ts';
import { Link } from './link.ts';

/**
 * Opens the message bus in NATS without the log. It needs the right to publish what it publishes, and to subscribe to
 * `_INBOX.<name>.>` for the answers, and no other. Resolves and throws as `openJetStream` does.
 */
export async function openNatsBus(
  options: JetStreamOptions,
): Promise<{ readonly bus: MessageBus; close(): Promise<void> }> {
  const link = new Link(options, 'messages');
  const bus = new NatsBus(link);
  await link.start();
  return { bus, close: () => link.close() };
}
