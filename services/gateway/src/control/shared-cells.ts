import type { PoolSettings } from '@usher/domain';
import { giveBackOf, isUnused, newLimitCells } from '../table/backend-limit.ts';
import type { RowLimit } from '../table/row-limit.ts';
import { forgetWaitersOf, newLineCells } from '../table/waiting-line.ts';
import type { AdaptiveLimits } from './adaptive-limits.ts';

/** The memory in which the workers count together what backends with a limit have under way, and who waits. */
export class SharedCells {
  readonly #workers: number;
  readonly #limits = new Map<string, SharedArrayBuffer>();
  readonly #lines = new Map<string, SharedArrayBuffer>();

  readonly #adaptive: AdaptiveLimits;

  constructor(workers: number, adaptive: AdaptiveLimits) {
    this.#workers = workers;
    this.#adaptive = adaptive;
  }

  /** Undefined when there is no limit. */
  limitOf(
    pool: string,
    backend: string,
    max = 0,
    { adaptive }: Pick<PoolSettings, 'adaptive'> = {},
  ): RowLimit | undefined {
    if (adaptive === undefined) this.#adaptive.forget(backend);
    if (max === 0 && adaptive === undefined) return undefined;
    let cells = this.#limits.get(backend);
    if (cells === undefined) this.#limits.set(backend, (cells = newLimitCells(this.#workers)));
    let line = this.#lines.get(pool);
    if (line === undefined) this.#lines.set(pool, (line = newLineCells(this.#workers)));
    if (adaptive === undefined) return { max, adaptive: false, cells, line };
    this.#adaptive.follow(pool, backend, cells, adaptive);
    return { max: max === 0 ? adaptive.max : max, adaptive: true, cells, line };
  }

  /** The backend is gone. What it still has under way counts if it comes back meanwhile. */
  drop(backend: string): void {
    this.#adaptive.forget(backend);
    const cells = this.#limits.get(backend);
    if (cells !== undefined && isUnused(cells)) this.#limits.delete(backend);
  }

  /** The worker died, and with it what it had under way and who waited in it. */
  forgetWorker(worker: number): void {
    for (const cells of this.#limits.values()) giveBackOf(worker, cells);
    for (const line of this.#lines.values()) forgetWaitersOf(worker, line);
  }
}
