import {
  type AdaptiveSettings,
  type AdaptiveState,
  isEnough,
  limitNow,
  newAdaptive,
  nextAdaptive,
} from '@usher/domain';
import type { Clock, Timer } from '@usher/ports';
import { adaptTo, takeSeen } from '../table/backend-limit.ts';

const LOOK_MS = 100;

interface Followed {
  readonly pool: string;
  readonly cells: SharedArrayBuffer;
  settings: AdaptiveSettings;
  state: AdaptiveState;
  /** Gathered since then, until it is enough for a step. */
  sinceMs: number;
  answers: number;
  sumMs: number;
  inFlightMax: number;
}

/** Follows how the backends of pools with adaptive concurrency answer, and tells the workers by their shared cells how many requests those may have. */
export class AdaptiveLimits {
  readonly #clock: Clock;
  readonly #followed = new Map<string, Followed>();
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  start(): void {
    this.#timer = this.#clock.every(LOOK_MS, () => this.#look());
  }

  stop(): void {
    this.#timer?.cancel();
  }

  follow(pool: string, backend: string, cells: SharedArrayBuffer, settings: AdaptiveSettings): void {
    const present = this.#followed.get(backend);
    if (present?.cells === cells) {
      present.settings = settings;
      return;
    }
    const sinceMs = this.#clock.steady();
    const state = newAdaptive(settings, sinceMs);
    this.#followed.set(backend, {
      pool,
      cells,
      settings,
      state,
      sinceMs,
      answers: 0,
      sumMs: 0,
      inFlightMax: 0,
    });
    adaptTo(limitNow(state, settings, sinceMs), cells);
  }

  forget(backend: string): void {
    this.#followed.delete(backend);
  }

  /** Where the limits stand. */
  *limits(): IterableIterator<{ readonly pool: string; readonly backend: string; readonly limit: number }> {
    const nowMs = this.#clock.steady();
    for (const [backend, { pool, state, settings }] of this.#followed)
      yield { pool, backend, limit: limitNow(state, settings, nowMs) };
  }

  #look(): void {
    const nowMs = this.#clock.steady();
    for (const followed of this.#followed.values()) {
      const seen = takeSeen(followed.cells);
      followed.answers += seen.answers;
      followed.sumMs += seen.sumMs;
      followed.inFlightMax = Math.max(followed.inFlightMax, seen.inFlightMax);
      if (isEnough(followed.answers, nowMs - followed.sinceMs)) this.#step(followed, nowMs);
      adaptTo(limitNow(followed.state, followed.settings, nowMs), followed.cells);
    }
  }

  #step(followed: Followed, nowMs: number): void {
    const { answers, sumMs, inFlightMax } = followed;
    const sample = { nowMs, meanMs: sumMs / answers, inFlightMax };
    followed.state = nextAdaptive(followed.state, sample, followed.settings);
    Object.assign(followed, { sinceMs: nowMs, answers: 0, sumMs: 0, inFlightMax: 0 });
  }
}
