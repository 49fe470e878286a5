import {
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
  type StoredMsg,
} from '@nats-io/jetstream';
import { encodeRecord } from '@usher/events';
import {
  type Appended,
  ConflictError,
  LogReplacedError,
  LogUnavailableError,
  type Position,
  type RecordDraft,
} from '@usher/ports';
import { firstEventOf, RecordTooLargeError } from '../draft.ts';
import type { Link } from './link.ts';
import { EVENTS_STREAM } from './streams.ts';

/** The headers count as payload; ours take less than this. */
const HEADERS_BYTES_MAX = 1024;
const MESSAGE_ID = 'Nats-Msg-Id';

/** Stores a record as one message. Never publishes without a connection: the client would keep it and then throw it away. */
export async function publishRecord(link: Link, draft: RecordDraft): Promise<Appended> {
  link.assertSameLog();
  const { client, manager, payloadBytesMax } = link.session();
  const { id } = firstEventOf(draft);
  const { subject, expect } = draft;
  const payload = Buffer.from(encodeRecord(draft.events));
  if (payload.length + HEADERS_BYTES_MAX > payloadBytesMax) {
    throw new RecordTooLargeError(subject, payload.length, payloadBytesMax - HEADERS_BYTES_MAX);
  }
  const condition = expect === undefined ? {} : { expect: { lastSubjectSequence: expect } };
  const { reached } = link.identity;
  try {
    const ack = await link.guard(client.publish(subject, payload, { msgID: id, ...condition }));
    // What is new lies behind all that was there before, unless the stream has lost it.
    if (!ack.duplicate && ack.seq <= reached) throw replaced(link, ack.seq);
    link.identity.meet(ack.seq, id);
    return { position: ack.seq, duplicate: ack.duplicate };
  } catch (error) {
    if (expect !== undefined && isWrongLastSequence(error)) {
      return await explainConflict(link, manager, subject, id, expect);
    }
    throw unavailable(error);
  }
}

/**
 * The condition did not hold: somebody else was first, or this record itself was, when it was sent before. In the
 * latter case it is the first one after the expected position; or the last one, when it was sent with another
 * expectation. Newer servers check the condition before they look for duplicates, so both must be told apart here.
 */
async function explainConflict(
  link: Link,
  manager: JetStreamManager,
  subject: string,
  id: string,
  expected: Position,
): Promise<Appended> {
  const following = { seq: expected + 1, next_by_subj: subject };
  let last: StoredMsg | null;
  try {
    const next = await link.guard(manager.streams.getMessage(EVENTS_STREAM, following));
    if (next?.header.get(MESSAGE_ID) === id) return { position: next.seq, duplicate: true };
    last = await lastMessage(link, manager, subject);
  } catch (error) {
    throw unavailable(error);
  }
  if (last?.header.get(MESSAGE_ID) === id) return { position: last.seq, duplicate: true };
  const actual = last?.seq ?? 0;
  // The last record of a subject never becomes an older one: either nobody ever read what was expected, or it is lost.
  if (actual < expected) await link.inspect(manager);
  link.assertSameLog();
  throw new ConflictError(subject, expected, actual);
}

function replaced(link: Link, last: Position): LogReplacedError {
  const fault = link.identity.endsAt(last);
  link.disown(fault);
  return new LogReplacedError(fault);
}

export function lastMessage(
  link: Link,
  manager: JetStreamManager,
  subject: string,
): Promise<StoredMsg | null> {
  return link.guard(manager.streams.getMessage(EVENTS_STREAM, { last_by_subj: subject }));
}

/** What callers are told of whatever NATS could not do. */
export function unavailable(error: unknown): LogUnavailableError {
  if (error instanceof LogUnavailableError) return error;
  const { message } = error as Error;
  return new LogUnavailableError(`NATS: ${message}`, { cause: error });
}

function isWrongLastSequence(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamWrongLastSequence;
}
