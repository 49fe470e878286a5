import type { AdminRefusal, AdminRefusals } from '@usher/domain';
import type { Clock, Log, LogFields, Timer } from '@usher/ports';

/** A refusal after a quiet time is told after so long, and what comes on top of it less and less often. */
const WINDOW_MS_MIN = 1_000;
const WINDOW_MS_MAX = 60_000;
/** Causes, addresses and names that are told one by one. */
const KINDS_MAX = 20;
/** Refusals of one window that are logged one by one. */
const LINES_MAX = 10;

export interface RefusalBookOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Tells what was refused. False: it could not be told now, and is told with what comes next. */
  readonly tell: (refusals: AdminRefusals) => boolean;
}

/** One call that was refused. */
export type Refusal = Omit<AdminRefusal, 'count'>;

/** Keeps count of refused calls: anyone can cause them, so however many there are, little is written about them. */
export class RefusalBook {
  readonly #options: RefusalBookOptions;
  #kinds = new Map<string, Refusal & { count: number }>();
  #count = 0;
  #lines = 0;
  #sinceMs = 0;
  #windowMs = WINDOW_MS_MIN;
  #timer: Timer | undefined;

  constructor(options: RefusalBookOptions) {
    this.#options = options;
  }

  /** `about` is for the log alone. */
  note(refusal: Refusal, about: LogFields = {}): void {
    const { clock, log } = this.#options;
    if (this.#count === 0) this.#sinceMs = clock.steady();
    this.#count += 1;
    const { cause, address, who } = refusal;
    const key = JSON.stringify([cause, address, who]);
    const kind = this.#kinds.get(key);
    if (kind !== undefined) kind.count += 1;
    else if (this.#kinds.size < KINDS_MAX) this.#kinds.set(key, { ...refusal, count: 1 });
    if (this.#lines < LINES_MAX) log.warn('an admin request was refused', { ...refusal, ...about });
    this.#lines += 1;
    this.#timer ??= clock.after(this.#windowMs, () => this.#turn());
  }

  /** Tells what has not been told. */
  stop(): void {
    this.#timer?.cancel();
    if (this.#count > 0) this.#tell();
  }

  #turn(): void {
    this.#timer = undefined;
    if (this.#count === 0) {
      this.#windowMs = WINDOW_MS_MIN;
      return;
    }
    this.#tell();
    this.#windowMs = Math.min(2 * this.#windowMs, WINDOW_MS_MAX);
    this.#timer = this.#options.clock.after(this.#windowMs, () => this.#turn());
  }

  #tell(): void {
    const { clock, log, tell } = this.#options;
    const refusals = [...this.#kinds.values()];
    const count = this.#count;
    if (this.#lines > LINES_MAX)
      log.warn('more admin requests were refused', { count: this.#lines - LINES_MAX });
    this.#lines = 0;
    const windowMs = Math.round(clock.steady() - this.#sinceMs);
    if (!tell({ windowMs, count, refusals })) return;
    this.#kinds = new Map();
    this.#count = 0;
  }
}
