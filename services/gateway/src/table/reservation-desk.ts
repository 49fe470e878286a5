import type { FromWorker, ReserveAsked, ReserveResult } from '../worker/protocol.ts';

type Wanted = Omit<ReserveAsked, 'kind' | 'id'>;
type Post = (message: Extract<FromWorker, { kind: 'reserve' | 'withdraw' | 'give_back' }>) => void;

/** Where a worker asks the control thread for reservations, and gives them back. */
export class ReservationDesk {
  readonly #post: Post;
  readonly #waiting = new Map<number, (result: ReserveResult) => void>();
  /** By pool, to go out together at the end of this turn of the event loop. */
  readonly #returns = new Map<string, string[]>();
  #lastId = 0;

  constructor(post: Post) {
    this.#post = post;
  }

  /** Answers with an id to withdraw by. `onResult` is called once, later. */
  ask(wanted: Wanted, onResult: (result: ReserveResult) => void): number {
    const id = ++this.#lastId;
    this.#waiting.set(id, onResult);
    this.#post({ kind: 'reserve', id, ...wanted });
    return id;
  }

  /** Nobody waits for it any more. What is granted nevertheless goes back. */
  withdraw(id: number): void {
    if (this.#waiting.delete(id)) this.#post({ kind: 'withdraw', id });
  }

  giveBack(pool: string, allocation: string): void {
    const returns = this.#returns.get(pool);
    if (returns !== undefined) {
      returns.push(allocation);
      return;
    }
    this.#returns.set(pool, [allocation]);
    if (this.#returns.size === 1) setImmediate(() => this.#flush());
  }

  /** The control thread's answer. */
  onReserved(id: number, pool: string, result: ReserveResult): void {
    const onResult = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (onResult !== undefined) onResult(result);
    else if (result.outcome === 'granted') this.giveBack(pool, result.allocation);
  }

  #flush(): void {
    for (const [pool, allocations] of this.#returns) this.#post({ kind: 'give_back', pool, allocations });
    this.#returns.clear();
  }
}
