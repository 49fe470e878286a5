export { type EmbeddedOptions, type OpenLog, openEmbedded } from './embedded/open.ts';
export { type EventReader, openEmbeddedReader } from './embedded/reader.ts';
