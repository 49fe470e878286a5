import { FleetFold } from '@usher/actors';
import type { FleetState } from '@usher/domain';
import type { Position, ServiceContext } from '@usher/ports';

/** Records that are read again at most: more would keep the leader from deciding for seconds. */
const RECORDS_MAX = 200_000;

/** What the fleet was like at earlier positions of the log. */
export class PastStates {
  readonly #context: ServiceContext;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(context: ServiceContext) {
    this.#context = context;
  }

  /**
   * The state that the records up to a position lead to; undefined when it lies too far back. One is worked out at a time.
   * Throws LogUnavailableError.
   */
  at(position: Position): Promise<FleetState | undefined> {
    const turn = this.#queue.then(async () => await this.#replay(position));
    this.#queue = turn.catch(() => {});
    return turn;
  }

  async #replay(position: Position): Promise<FleetState | undefined> {
    const { events } = this.#context;
    const snapshot = await events.loadSnapshot(position);
    const near = snapshot !== undefined && snapshot.position <= position;
    const fold = (near ? FleetFold.restore(snapshot) : undefined) ?? new FleetFold();
    if (position - fold.position > RECORDS_MAX) return undefined;
    await events.replay(fold.position, (record) => fold.apply(record), position);
    return fold.state;
  }
}
