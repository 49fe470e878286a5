import { type Problem, problemOf } from '@usher/domain';
import { type EventLog, type LogRecord, LogUnavailableError, type Position } from '@usher/ports';
import { Inbox } from './inbox.ts';

/** Positions read from the log at a time: what a reader that stands still can keep in memory. */
const PAGE_POSITIONS = 200;
/** What may wait for a following reader before it is cut off. */
const WAITING_CHARS_MAX = 1024 * 1024;

export interface StreamOptions {
  /** Position after which to begin. */
  readonly after: Position;
  /** Records to hand over at most. */
  readonly limit: number;
  /** Whether to go on with what is appended later, until `signal` aborts. */
  readonly follow: boolean;
  readonly signal: AbortSignal;
  /** Called when a follower is too slow to be served any longer. */
  readonly tooSlow: () => void;
}

/**
 * The log's records as lines of JSON: `{"position":…,"subject":…,"events":[…]}`. A stream that has to end early ends
 * with the line `{"error":{…}}`, a problem that says after which position to go on.
 */
export async function* eventLines(log: EventLog, options: StreamOptions): AsyncGenerator<string> {
  const { limit, follow, signal } = options;
  let { after } = options;
  let left = limit;
  try {
    // To the end in pages, each read when the one before is taken: a slow reader costs nothing.
    for (let head = await log.head(); after < head && left > 0 && !signal.aborted; ) {
      const page: string[] = [];
      const until = Math.min(after + PAGE_POSITIONS, head);
      await log.replay(after, (record) => void page.push(lineOf(record)), until);
      for (const line of page.slice(0, left)) yield line;
      left -= page.length;
      after = until;
      if (follow && after === head) head = await log.head();
    }
    if (follow && left > 0) yield* followedLines(log, { ...options, after, limit: left });
  } catch (error) {
    if (!(error instanceof LogUnavailableError)) throw error;
    yield errorLine(problemOf('log_unavailable', `Go on after position ${after}`));
  }
}

async function* followedLines(log: EventLog, options: StreamOptions): AsyncGenerator<string> {
  const { signal, tooSlow } = options;
  const inbox = new Inbox(WAITING_CHARS_MAX);
  const tail = log.tail(options.after, (record) => {
    const before = inbox.overflowed;
    inbox.offer({ text: lineOf(record), position: record.position });
    if (inbox.overflowed && !before) tooSlow();
  });
  const wake = () => inbox.wake();
  signal.addEventListener('abort', wake);
  let { after, limit: left } = options;
  try {
    while (!signal.aborted) {
      for (const { text, position } of inbox.take()) {
        yield text;
        after = position;
        left -= 1;
        if (left === 0) return;
      }
      if (inbox.overflowed) {
        yield errorLine(problemOf('overloaded', `Too slow to follow; go on after position ${after}`));
        return;
      }
      await inbox.news();
    }
  } finally {
    signal.removeEventListener('abort', wake);
    await tail.stop();
  }
}

function lineOf({ position, subject, events, quarantined }: LogRecord): string {
  const record =
    quarantined.length === 0 ? { position, subject, events } : { position, subject, events, quarantined };
  return `${JSON.stringify(record)}\n`;
}

function errorLine(problem: Problem): string {
  return `${JSON.stringify({ error: problem })}\n`;
}
