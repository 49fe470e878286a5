import { formatNote, translationOf, type UsherConfig } from '@usher/config';
import type { Io } from './io.ts';

/** Says of which system a configuration is, and what of it is not the same in Usher; nothing for Usher's own. */
export function tellTranslation(config: UsherConfig, io: Io): void {
  const translation = translationOf(config);
  if (translation === undefined) return;
  io.err(`usher: this is a configuration of ${translation.title}; it was translated`);
  for (const note of translation.notes) io.err(formatNote(note));
}
