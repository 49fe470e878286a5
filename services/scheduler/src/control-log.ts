import { UsherError } from '@usher/domain';
import { CONTROL_SUBJECT, type EventDraft, envelop, type UsherEvent } from '@usher/events';
import {
  ConflictError,
  LogReplacedError,
  LogUnavailableError,
  type Position,
  type ServiceContext,
} from '@usher/ports';

/** How long a decision waits for this process's own fold to catch up with what was appended before. */
const FOLD_WAIT_MAX_MS = 2_000;

/** Prefix of a `causationid` that names a command rather than an event. */
const COMMAND_CAUSE = 'command:';

/** Why something is decided, for the envelopes of the events. */
export interface Cause {
  readonly actor: string;
  readonly reason?: string | undefined;
  readonly commandId?: string | undefined;
}

export interface Decided {
  readonly position: Position;
  readonly eventTypes: readonly string[];
}

/**
 * The leader's way of writing: one decision at a time, each made on the state that all earlier ones have led to, each
 * appended on condition that nobody else wrote to the control aggregate meanwhile. A second leader, whatever made it
 * believe it is one, fails here and is told to step down.
 */
export class ControlLog {
  readonly #context: ServiceContext;
  readonly #onDeposed: () => void;
  #expect: Position = 0;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(context: ServiceContext, onDeposed: () => void) {
    this.#context = context;
    this.#onDeposed = onDeposed;
  }

  /** Starts from what the control aggregate is at now. Throws UsherError `log_replaced` when the state is ahead of the log. */
  async open(): Promise<void> {
    const { fleet, events } = this.#context;
    const { position } = fleet;
    const head = await events.head();
    if (head < position) throw new UsherError('log_replaced', endsBefore(head, position));
    this.#expect = await this.#context.events.lastOf(CONTROL_SUBJECT);
    await this.#folded(this.#expect);
  }

  /**
   * Runs `decide` on the present state and makes its events durable. `decide` may throw UsherError to refuse.
   * Throws UsherError `log_unavailable` when the log cannot be written, `no_leader` when another leader has written,
   * `log_replaced` when what is written would not reach the state.
   */
  decide(cause: Cause, decide: () => EventDraft[]): Promise<Decided> {
    const turn = this.#queue.then(async () => await this.#decideNow(cause, decide));
    // The next in the queue goes on whatever became of this one; its failure is its caller's to see.
    this.#queue = turn.catch(() => {});
    return turn;
  }

  async #decideNow(cause: Cause, decide: () => EventDraft[]): Promise<Decided> {
    const { replaced, fault } = this.#context.events.status();
    if (replaced === true) throw new UsherError('log_replaced', fault);
    await this.#folded(this.#expect);
    const drafts = decide();
    if (drafts.length === 0) return { position: this.#context.fleet.position, eventTypes: [] };
    const { clock, random, instance } = this.#context;
    const envelopes = envelop(
      drafts,
      {
        source: `usher/scheduler/${instance}`,
        timeMs: clock.now(),
        actor: cause.actor,
        reason: cause.reason,
        causationId: cause.commandId === undefined ? undefined : COMMAND_CAUSE + cause.commandId,
      },
      () => random.uuid(),
    );
    const before = this.#context.fleet.position;
    const position = await this.#append(envelopes);
    // What is new lies behind all that was folded, unless the log has lost it: then the fold would pass it over.
    if (position <= before) throw new UsherError('log_replaced', endsBefore(position, before));
    this.#expect = position;
    // It is durable; whoever asked shall also find it in the state, but not wait for that in vain.
    await this.#folded(position).catch(() => {});
    return { position, eventTypes: drafts.map(({ type }) => type) };
  }

  async #append(events: readonly UsherEvent[]): Promise<Position> {
    const draft = { subject: CONTROL_SUBJECT, events, expect: this.#expect };
    try {
      return (await this.#context.events.append(draft)).position;
    } catch (error) {
      if (error instanceof ConflictError) {
        this.#onDeposed();
        throw new UsherError('no_leader', 'another scheduler has taken over; try again', { cause: error });
      }
      if (error instanceof LogReplacedError)
        throw new UsherError('log_replaced', error.message, { cause: error });
      if (error instanceof LogUnavailableError)
        throw new UsherError('log_unavailable', error.message, { cause: error });
      throw error;
    }
  }

  async #folded(position: Position): Promise<void> {
    const { fleet, clock } = this.#context;
    if (fleet.position >= position) return;
    await new Promise<void>((resolve, reject) => {
      const timer = clock.after(FOLD_WAIT_MAX_MS, () => {
        subscription.stop();
        reject(new UsherError('log_unavailable', 'this scheduler has not caught up with the log'));
      });
      const subscription = fleet.onRecord(() => {
        if (fleet.position < position) return;
        subscription.stop();
        timer.cancel();
        resolve();
      });
    });
  }
}

function endsBefore(head: Position, folded: Position): string {
  return `the event log ends at position ${head}, but the state of this process is that of position ${folded}: put the log back from a backup, or restart the processes to go on with the log that is there`;
}
