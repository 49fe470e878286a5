export { RecordTooLargeError } from './draft.ts';
export { inspectEmbedded } from './embedded/inspect.ts';
export { type EmbeddedOptions, openEmbedded } from './embedded/open.ts';
export { type EventReader, openEmbeddedReader } from './embedded/reader.ts';
export type { JetStreamOptions } from './jetstream/connection-options.ts';
export { openJetStream } from './jetstream/open.ts';
export { openNatsBus } from './jetstream/open-bus.ts';
export type { OpenLog } from './open-log.ts';
export { type ClosableOutbox, createOutbox, type OutboxOptions } from './outbox.ts';
