import { type Clock, FaultyFileError, type Log, type Random, type Timer } from '@usher/ports';
import type { Discovered, Source } from './source.ts';

const RETRY_MIN_MS = 1_000;
const RETRY_MAX_MS = 60_000;
/** Part of a wait that is left to chance, so that many who follow the same name do not ask at the same time. */
const JITTER = 0.1;

export interface FollowerPorts {
  readonly source: Source;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Called after each look that found something, also when that is what was found before. */
  readonly onFound: (backends: readonly Discovered[]) => void;
}

/** Looks at one source again and again, one look at a time. */
export class SourceFollower {
  readonly #ports: FollowerPorts;
  #failures = 0;
  #complaint: string | undefined;
  #found: number | undefined;
  #timer: Timer | undefined;
  #watch: { stop(): void } | undefined;
  #looking = false;
  #again = false;
  #stopped = false;

  constructor(ports: FollowerPorts) {
    this.#ports = ports;
  }

  /** What is wrong with the source; undefined when it answered. */
  get fault(): string | undefined {
    return this.#complaint;
  }

  /** How many backends the last answer had; undefined before the first. */
  get found(): number | undefined {
    return this.#found;
  }

  start(): void {
    this.#watch = this.#ports.source.watch?.(() => this.#look());
    this.#look();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#watch?.stop();
  }

  #look(): void {
    this.#again = this.#looking;
    if (this.#looking) return;
    this.#looking = true;
    void this.#lookNow().finally(() => {
      this.#looking = false;
      if (this.#again && !this.#stopped) this.#look();
    });
  }

  async #lookNow(): Promise<void> {
    const { source, onFound } = this.#ports;
    try {
      const { backends, freshMs, stale } = await source.look();
      if (this.#stopped) return;
      this.#found = backends.length;
      if (stale === undefined) this.#succeed(freshMs);
      else this.#fail([stale]);
      onFound(backends);
    } catch (error) {
      if (!this.#stopped)
        this.#fail(error instanceof FaultyFileError ? error.faults : [(error as Error).message]);
    }
  }

  #succeed(freshMs: number | undefined): void {
    const { source, random, log } = this.#ports;
    if (this.#complaint !== undefined) log.info('backends are found again', { source: source.what });
    this.#complaint = undefined;
    this.#failures = 0;
    if (freshMs !== undefined) this.#wait(freshMs * (1 + JITTER * random.next()));
  }

  #fail(causes: readonly string[]): void {
    const { source, random, log } = this.#ports;
    const complaint = causes.join('; ');
    if (complaint !== this.#complaint) {
      const outcome = this.#found === undefined ? 'none is known' : 'those that were found last stay';
      for (const cause of causes)
        log.error(`backends cannot be found, ${outcome}`, { source: source.what, cause });
    }
    this.#complaint = complaint;
    if (source.retryMaxMs === undefined) return;
    const waitMs = Math.min(RETRY_MIN_MS * 2 ** this.#failures, RETRY_MAX_MS, source.retryMaxMs);
    this.#failures += 1;
    this.#wait(waitMs * (1 - JITTER * random.next()));
  }

  #wait(ms: number): void {
    this.#timer?.cancel();
    this.#timer = this.#ports.clock.after(ms, () => this.#look());
  }
}
