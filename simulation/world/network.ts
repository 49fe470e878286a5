import type { Chance } from './chance.ts';
import type { Scope } from './scope.ts';
import type { World } from './world.ts';

const DELAY_MIN_MS = 0.1;
const DELAY_MEAN_MS = 0.5;
/** Now and then a message takes its time. */
const LATE = 0.005;
const LATE_MEAN_MS = 40;
/** A duplicate comes so much later, on average. */
const AGAIN_MEAN_MS = 200;

/** Somebody on the network; the scope changes when it is started anew. */
export interface Node {
  readonly name: string;
  readonly scope: Scope;
}

interface Message {
  readonly from: string;
  readonly to: Node;
  readonly what: string;
  readonly deliver: () => void;
  /** Messages of one lane arrive in their order, as on one connection. Absent = in any order. */
  readonly lane?: string;
  /** It may come twice. */
  readonly twice?: boolean;
  /** What the sender's system learns when it cannot be delivered, for connections that break. */
  readonly lost?: () => void;
}

interface Call<T> {
  readonly from: Node;
  readonly to: Node;
  readonly what: string;
  readonly timeoutMs: number;
  readonly execute: () => Promise<T>;
  readonly lane?: string;
  readonly twice?: boolean;
}

/** No answer came in time. */
export class NoAnswerError extends Error {
  constructor(what: string) {
    super(`no answer to ${what}`);
    this.name = 'NoAnswerError';
  }
}

/** Carries messages late, twice, in another order or not at all. */
export class Network {
  readonly #world: World;
  readonly #chance: Chance;
  readonly #blocked = new Map<string, number>();
  readonly #slowMs = new Map<string, number>();
  readonly #lanes = new Map<string, number>();
  /** Share of the messages outside of lanes that are lost. */
  loss = 0;
  /** Share of the messages that may come twice and do. */
  duplication = 0;

  constructor(world: World, chance: Chance) {
    this.#world = world;
    this.#chance = chance;
  }

  /** Nothing gets from one to the other until the answer is called. */
  block(from: string, to: string): () => void {
    return raise(this.#blocked, `${from}>${to}`, 1);
  }

  /** Everything takes longer both ways. */
  slow(a: string, b: string, ms: number): () => void {
    const there = raise(this.#slowMs, `${a}>${b}`, ms);
    const back = raise(this.#slowMs, `${b}>${a}`, ms);
    return () => {
      there();
      back();
    };
  }

  isBlocked(from: string, to: string): boolean {
    const blocked = this.#blocked;
    if (blocked.size === 0) return false;
    return blocked.has(`${from}>${to}`) || blocked.has(`${from}>*`) || blocked.has(`*>${to}`);
  }

  /** How long a message takes now. */
  delayMs(from: string, to: string): number {
    const late = this.#chance.happens(LATE) ? this.#chance.exponential(LATE_MEAN_MS) : 0;
    const slowMs = this.#slowMs.size === 0 ? 0 : (this.#slowMs.get(`${from}>${to}`) ?? 0);
    const usualMs = DELAY_MIN_MS + this.#chance.exponential(DELAY_MEAN_MS);
    return usualMs + late + (slowMs === 0 ? 0 : this.#chance.exponential(slowMs));
  }

  send(message: Message): void {
    const { from, to, lane, twice = false } = message;
    let atMs = this.#world.nowMs + this.delayMs(from, to.name);
    if (lane !== undefined) {
      atMs = Math.max(atMs, this.#lanes.get(lane) ?? 0);
      this.#lanes.set(lane, atMs);
    } else if (this.loss > 0 && this.#chance.happens(this.loss)) {
      this.#lose(message, 'lost');
      return;
    }
    const { scope } = to;
    this.#world.at(atMs, () => this.#deliver(message, scope));
    if (twice && this.duplication > 0 && this.#chance.happens(this.duplication)) {
      const laterMs = atMs + this.#chance.exponential(AGAIN_MEAN_MS);
      this.#world.at(laterMs, () => this.#deliver({ ...message, what: `${message.what} (again)` }, scope));
    }
  }

  /** Asks and waits for the answer. Rejects with what the other side rejects with, or NoAnswerError. */
  call<T>({ from, to, what, timeoutMs, execute, lane, twice = false }: Call<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const asking = from.scope;
    const timer = asking.after(timeoutMs, () => reject(new NoAnswerError(what)));
    const back = (settle: () => void): void =>
      this.send({
        from: to.name,
        to: { name: from.name, scope: asking },
        what: `answer to ${what}`,
        deliver: () => {
          timer.cancel();
          settle();
        },
        ...(lane === undefined ? {} : { lane: `${lane} back` }),
      });
    const deliver = (): void => {
      const { scope } = to;
      execute().then(
        (answer) => scope.enter(() => back(() => resolve(answer))),
        (error: unknown) => scope.enter(() => back(() => reject(error))),
      );
    };
    this.send({ from: from.name, to, what, deliver, twice, ...(lane === undefined ? {} : { lane }) });
    return promise;
  }

  #deliver(message: Message, scope: Scope): void {
    const { from, to, what, deliver } = message;
    if (this.isBlocked(from, to.name)) {
      this.#lose(message, 'cut off');
      return;
    }
    if (!scope.alive) {
      message.lost?.();
      return;
    }
    scope.enter(() => {
      this.#world.note(`${from}>${to.name}`, what);
      deliver();
    });
  }

  #lose({ from, to, what, lost }: Message, why: string): void {
    this.#world.note(`${from}>${to.name}`, `${what} (${why})`);
    lost?.();
  }
}

/** Adds to a sum until the answer is called. */
function raise(sums: Map<string, number>, key: string, by: number): () => void {
  sums.set(key, (sums.get(key) ?? 0) + by);
  let raised = true;
  return () => {
    if (!raised) return;
    raised = false;
    const left = (sums.get(key) ?? 0) - by;
    if (left > 0) sums.set(key, left);
    else sums.delete(key);
  };
}
