import type { UsherEvent } from '@usher/events';
import type { RecordDraft } from '@usher/ports';

/** Tokens of letters, digits, `-` and `_`: safe in NATS subjects, in JSON and in file names without escaping. */
const SUBJECT_PATTERN = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/;
const SUBJECT_CHARS_MAX = 255;
/** Safe in NATS headers and in JSON without escaping; UUIDs are. */
const ID_PATTERN = /^[A-Za-z0-9_.:-]{1,128}$/;

/** The record can never be stored, however often it is sent: it has to be split. */
export class RecordTooLargeError extends Error {
  constructor(subject: string, bytes: number, bytesMax: number) {
    super(`${subject}: a record of ${bytes} bytes is larger than the ${bytesMax} bytes that the log takes`);
    this.name = 'RecordTooLargeError';
  }
}

/** The first event of a draft that can be stored as a record. Throws RangeError for one that cannot, which is a bug of its writer. */
export function firstEventOf(draft: RecordDraft): UsherEvent {
  const first = draft.events[0];
  if (first === undefined) throw new RangeError(`${draft.subject}: a record needs at least one event`);
  if (draft.subject.length > SUBJECT_CHARS_MAX || !SUBJECT_PATTERN.test(draft.subject)) {
    throw new RangeError(`"${draft.subject.slice(0, SUBJECT_CHARS_MAX)}" cannot be the subject of a record`);
  }
  if (!ID_PATTERN.test(first.id)) throw new RangeError(`"${first.id}" cannot be the id of a record`);
  return first;
}
