import type { Clock, Timer } from '@usher/ports';
import type { World } from './world.ts';

/**
 * One life of a process. What it planned dies with it: a process that crashed neither fires a timer nor takes a message.
 * While it is frozen everything waits, and happens in its order afterwards.
 */
export class Scope {
  readonly world: World;
  #alive = true;
  #frozenUntilMs = 0;
  #deaths: (() => void)[] = [];
  /** What waits for the end of the freeze. */
  readonly #held: (() => void)[] = [];

  constructor(world: World) {
    this.world = world;
  }

  get alive(): boolean {
    return this.#alive;
  }

  get frozen(): boolean {
    return this.world.nowMs < this.#frozenUntilMs;
  }

  kill(): void {
    this.#alive = false;
    for (const died of this.#deaths.splice(0)) died();
  }

  /** What the kernel does for a process that is gone. */
  onDeath(died: () => void): void {
    this.#deaths.push(died);
  }

  freeze(ms: number): void {
    this.#frozenUntilMs = Math.max(this.#frozenUntilMs, this.world.nowMs + ms);
  }

  /** Runs it in this life: now, after the freeze, or never. */
  enter(run: () => void): void {
    if (!this.#alive) return;
    if (!this.frozen && this.#held.length === 0) run();
    else if (this.#held.push(run) === 1) this.world.at(this.#frozenUntilMs, () => this.#release());
  }

  /** What was held goes on one by one, with room for what each sets off. */
  #release(): void {
    if (this.frozen) {
      this.world.at(this.#frozenUntilMs, () => this.#release());
      return;
    }
    const run = this.#held.shift();
    if (this.#held.length > 0) this.world.after(0, () => this.#release());
    if (this.#alive) run?.();
  }

  after(ms: number, run: () => void): Timer {
    return this.world.after(ms, () => this.enter(run));
  }
}

/** The clock of one process: right about how long things take, and wrong about what time it is. */
export class ProcessClock implements Clock {
  readonly #scope: Scope;
  readonly #skewMs: () => number;

  constructor(scope: Scope, skewMs: () => number) {
    this.#scope = scope;
    this.#skewMs = skewMs;
  }

  now(): number {
    return Math.floor(this.#scope.world.nowMs + this.skewMs);
  }

  steady(): number {
    return this.#scope.world.nowMs;
  }

  /** By how much it is off now. */
  get skewMs(): number {
    return this.#skewMs();
  }

  after(ms: number, callback: () => void): Timer {
    return this.#scope.after(Math.max(0, ms), callback);
  }

  every(ms: number, callback: () => void): Timer {
    if (!(ms > 0)) throw new RangeError(`a repeating timer needs a positive interval, not ${ms}`);
    let cancelled = false;
    let next: Timer | undefined;
    const plan = (): void => {
      next = this.#scope.after(ms, () => {
        callback();
        if (!cancelled) plan();
      });
    };
    plan();
    return {
      cancel: () => {
        cancelled = true;
        next?.cancel();
      },
    };
  }
}
