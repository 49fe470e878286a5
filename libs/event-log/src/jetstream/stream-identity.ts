import type { StreamInfo } from '@nats-io/jetstream';
import type { Position } from '@usher/ports';
import { EVENTS_STREAM } from './streams.ts';

const REMEDY =
  'commands are refused and traffic goes on with the last state: restore the stream from a backup, or restart all processes to go on without what it lost';

/** Where a stream ends now. */
type StreamEnd = { readonly state: Pick<StreamInfo['state'], 'last_seq'> };

/**
 * Tells the stream that this process has read from another one that took its name, and from itself with less in it: the
 * last record that was read or written has to be where it was. While there was none, one stream is as good as another. When
 * a stream was made says nothing: the servers of a cluster say different times of one stream that was asked for twice.
 */
export class StreamIdentity {
  #known = false;
  #reached: Position = 0;
  /** The last record that was read or written. */
  #mark: { readonly position: Position; readonly id: string } | undefined;

  /** The highest position that the stream was seen to have. */
  get reached(): Position {
    return this.#reached;
  }

  /** Whether a stream has been seen. */
  get known(): boolean {
    return this.#known;
  }

  reach(position: Position): void {
    if (position > this.#reached) this.#reached = position;
  }

  /** The stream has the record of this id at the position. */
  meet(position: Position, id: string): void {
    this.reach(position);
    if (position > (this.#mark?.position ?? 0)) this.#mark = { position, id };
  }

  /**
   * What is wrong with the stream, in a sentence; undefined = it is the one that is known. An absent stream is gone; a record
   * that is absent (`idAt` resolves with undefined) was deleted, which is a loss and told as one. `reached` is where the
   * stream had been before it was asked for: what comes in while it answers is not in the answer.
   */
  async faultOf(
    info: StreamEnd | undefined,
    reached: Position,
    idAt: (position: Position) => Promise<string | undefined>,
  ): Promise<string | undefined> {
    if (info === undefined) return `NATS has no stream ${EVENTS_STREAM} any more; ${REMEDY}`;
    this.#known = true;
    if (reached > info.state.last_seq) return this.endsAt(info.state.last_seq);
    const mark = this.#mark;
    if (mark === undefined) return undefined;
    const id = await idAt(mark.position);
    if (id === undefined || id === mark.id) return undefined;
    return `the stream ${EVENTS_STREAM} was made anew: its record at position ${mark.position} is not the one that this process has read; ${REMEDY}`;
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
