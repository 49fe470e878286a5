import type { StreamInfo } from '@nats-io/jetstream';
import type { Position } from '@usher/ports';
import { EVENTS_STREAM } from './streams.ts';

const REMEDY =
  'commands are refused and traffic goes on with the last state: restore the stream from a backup, or restart all processes to go on without what it lost';

/**
 * Tells the stream that this process has read from another one that took its name, and from itself with less in it. The
 * first stream that is seen is the right one: a process that starts has nothing to compare it with.
 */
export class StreamIdentity {
  #created: string | undefined;
  #reached: Position = 0;

  /** The highest position that the stream was seen to have. */
  get reached(): Position {
    return this.#reached;
  }

  /** Whether a stream has been seen. */
  get known(): boolean {
    return this.#created !== undefined;
  }

  reach(position: Position): void {
    if (position > this.#reached) this.#reached = position;
  }

  /**
   * What is wrong with the stream, in a sentence; undefined = it is the one that is known. An absent stream is gone. `reached`
   * is where it had been before it was asked for: what comes in while it answers is not in the answer.
   */
  faultOf(info: StreamInfo | undefined, reached: Position): string | undefined {
    if (info === undefined) return `NATS has no stream ${EVENTS_STREAM} any more; ${REMEDY}`;
    const { created, state } = info;
    this.#created ??= created;
    if (created !== this.#created) {
      return `the stream ${EVENTS_STREAM} was made anew at ${created}; this process has read the one of ${this.#created}; ${REMEDY}`;
    }
    return reached > state.last_seq ? this.endsAt(state.last_seq) : undefined;
  }

  /** What is wrong with a stream that ends before what was seen. */
  endsAt(last: Position): string {
    return `the stream ${EVENTS_STREAM} ends at position ${last}, but this process has seen position ${this.#reached}; ${REMEDY}`;
  }
}

/** What the stream lacks of the positions that it had, in a sentence; undefined when it has them all. */
export function lossOf({ state }: StreamInfo): string | undefined {
  const { messages, first_seq: first, last_seq: last } = state;
  const missing = last - messages;
  if (missing === 0) return undefined;
  return `the stream ${EVENTS_STREAM} lacks ${missing} of its ${last} records and begins at position ${first}: somebody deleted them, or a limit of the stream did; restore it from a backup to have them`;
}
