import { ejectedMax } from '@usher/domain';
import type { UsherEvent } from '@usher/events';
import type { Log, Metrics } from '@usher/ports';
import type { BackendRow, TableDelta } from '../routing-table.ts';
import { isInService } from '../table/ejections.ts';
import type { PoolNews } from '../table/pool-news.ts';
import type { NewestFacts } from './newest-facts.ts';
import type { Projector } from './projector.ts';

type Ejected = Extract<PoolNews, { kind: 'ejected' }>;
type Panic = Extract<PoolNews, { kind: 'panic' }>;

export interface PassiveHealthOptions {
  readonly gateway: string;
  readonly table: Pick<Projector, 'backends' | 'pool'>;
  readonly facts: NewestFacts;
  readonly log: Log;
  /** Has all workers, or all but one, take up a change. */
  readonly broadcast: (delta: TableDelta, except?: number) => void;
}

/**
 * What the workers of a gateway found out about their backends becomes what all of them go by: whom one has ejected, all leave
 * out. Two workers may eject two backends in the same moment, each within what the pool allows; the second is taken back
 * then. And it tells of pools in panic.
 */
export class PassiveHealth {
  readonly #options: PassiveHealthOptions;
  readonly #ejected = new Map<string, Ejected>();
  /** Since the gateway started, by backend. */
  readonly #ejections = new Map<string, number>();
  /** By pool, in which workers it is in panic. */
  readonly #panics = new Map<string, Set<number>>();

  constructor(options: PassiveHealthOptions) {
    this.#options = options;
  }

  onNews(worker: number, news: PoolNews): void {
    if (news.kind === 'ejected') this.#onEjected(worker, news);
    else if (news.kind === 'readmitted') this.#readmit(news.backend, worker);
    else this.#onPanic(worker, news);
  }

  /** A backend whose probes succeed again has no reason to stay away; one that is gone is not ejected any more. */
  follow({ type, data }: UsherEvent): void {
    if (type === 'backend.became_healthy') this.#readmit(data.backend);
    else if (type === 'backend.removed') {
      this.#ejected.delete(data.backend);
      this.#ejections.delete(data.backend);
    }
  }

  /** A worker died; its successor counts from the beginning. */
  forgetWorker(worker: number): void {
    for (const [pool, workers] of this.#panics) if (workers.delete(worker)) this.#endPanic(pool, workers);
  }

  /** Everything, for a worker that knows nothing. */
  snapshot(): TableDelta[] {
    return Array.from(this.#ejected.values(), ejectedDelta);
  }

  exposeMetrics(metrics: Metrics): void {
    const { table } = this.#options;
    metrics.gauge('usher_backend_ejected', 'Whether the gateway has ejected the backend', () =>
      table.backends().map(({ id: backend, pool }) => ({
        labels: { backend, pool },
        value: this.#ejected.has(backend) ? 1 : 0,
      })),
    );
    metrics.counter('usher_backend_ejections_total', 'How often the gateway ejected the backend', () =>
      table.backends().map(({ id: backend, pool }) => ({
        labels: { backend, pool },
        value: this.#ejections.get(backend) ?? 0,
      })),
    );
    metrics.gauge(
      'usher_pool_panic',
      'Whether so few backends of the pool are eligible that requests go to all',
      () =>
        [...new Set(table.backends().map(({ pool }) => pool))].map((pool) => ({
          labels: { pool },
          value: this.#panics.has(pool) ? 1 : 0,
        })),
    );
  }

  #onEjected(worker: number, news: Ejected): void {
    const { backend, cause, failures, requests, untilMs, times } = news;
    if (this.#ejected.has(backend)) return;
    const { gateway, log, facts, broadcast } = this.#options;
    if (!this.#mayGo(news.pool)) {
      broadcast({ kind: 'readmitted', backend });
      return;
    }
    this.#ejected.set(backend, news);
    this.#ejections.set(backend, (this.#ejections.get(backend) ?? 0) + 1);
    broadcast(ejectedDelta(news), worker);
    log.warn('a backend was ejected', { ...news });
    const data = { backend, gateway, cause, failures, requests, untilMs, times };
    facts.tell(`ejection ${backend}`, { type: 'backend.ejected', subject: backend, data });
  }

  #mayGo(pool: string): boolean {
    const { passive } = this.#options.table.pool(pool) ?? {};
    if (passive === undefined) return false;
    const inService = this.#options.table.backends().filter((row) => row.pool === pool && serves(row));
    const ejected = inService.filter(({ id }) => this.#ejected.has(id));
    return ejected.length < ejectedMax(inService.length, passive.maxEjected);
  }

  /** `except`: who knows it already. */
  #readmit(backend: string, except?: number): void {
    if (!this.#ejected.delete(backend)) return;
    const { gateway, log, facts, broadcast } = this.#options;
    broadcast({ kind: 'readmitted', backend }, except);
    log.info('an ejected backend is back', { backend });
    facts.tell(`ejection ${backend}`, {
      type: 'backend.readmitted',
      subject: backend,
      data: { backend, gateway },
    });
  }

  #onPanic(worker: number, { pool, on, eligible, backends }: Panic): void {
    const workers = this.#panics.get(pool) ?? new Set();
    if (!on) {
      if (workers.delete(worker)) this.#endPanic(pool, workers);
      return;
    }
    workers.add(worker);
    if (this.#panics.has(pool)) return;
    this.#panics.set(pool, workers);
    const { gateway, log, facts } = this.#options;
    log.error('a pool is in panic: requests go to all of its backends', { pool, eligible, backends });
    facts.tell(`panic ${pool}`, {
      type: 'pool.panicked',
      subject: pool,
      data: { pool, gateway, eligible, backends },
    });
  }

  #endPanic(pool: string, workers: ReadonlySet<number>): void {
    if (workers.size > 0) return;
    this.#panics.delete(pool);
    const { gateway, log, facts } = this.#options;
    log.info('a pool is in panic no more', { pool });
    facts.tell(`panic ${pool}`, { type: 'pool.calmed', subject: pool, data: { pool, gateway } });
  }
}

function ejectedDelta({ backend, untilMs, times }: Ejected): TableDelta {
  return { kind: 'ejected', backend, untilMs, times };
}

function serves({ weight, barred }: BackendRow): boolean {
  return isInService({ fullWeight: weight, barred });
}
