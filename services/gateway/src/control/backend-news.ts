import type { UsherEvent } from '@usher/events';
import type { Log, Metrics } from '@usher/ports';
import type { TableDelta } from '../routing-table.ts';
import { breakerDelta } from '../table/breaker-news.ts';
import type { FromWorker } from '../worker/protocol.ts';
import { breakerFact } from './breaker-fact.ts';
import type { Facts } from './facts.ts';
import { NewestFacts } from './newest-facts.ts';
import { PassiveHealth } from './passive-health.ts';
import type { Projector } from './projector.ts';

export interface BackendNewsOptions {
  readonly gateway: string;
  readonly facts: Facts;
  readonly table: Projector;
  readonly log: Log;
  /** Has all workers, or all but one, take up changes. */
  readonly broadcast: (deltas: readonly TableDelta[], except?: number) => void;
}

/** What one worker found out about a backend, the others of its gateway need not find out themselves, and the log hears of it. */
export class BackendNews {
  readonly #options: BackendNewsOptions;
  readonly #facts: NewestFacts;
  readonly #passive: PassiveHealth;

  constructor(options: BackendNewsOptions) {
    this.#options = options;
    this.#facts = new NewestFacts(options.facts);
    const broadcast = (delta: TableDelta, except?: number) => options.broadcast([delta], except);
    this.#passive = new PassiveHealth({ ...options, facts: this.#facts, broadcast });
  }

  onMessage(worker: number, message: FromWorker): void {
    if (message.kind === 'pool') this.#passive.onNews(worker, message.news);
    if (message.kind !== 'breaker') return;
    const { gateway, broadcast } = this.#options;
    const { news } = message;
    broadcast([breakerDelta(news)], worker);
    this.#facts.tell(`breaker ${news.backend}`, breakerFact(gateway, news));
  }

  follow(event: UsherEvent): void {
    // Whoever resets a breaker means the gateways' own too.
    if (event.type === 'breaker.closed' && event.data.reset === true)
      this.#options.broadcast([{ kind: 'recovered', backend: event.data.backend }]);
    this.#passive.follow(event);
  }

  /** Everything, for a worker that knows nothing. */
  snapshot(): TableDelta[] {
    return this.#passive.snapshot();
  }

  forgetWorker(worker: number): void {
    this.#passive.forgetWorker(worker);
  }

  /** Tries again with what the log could not be told. */
  retell(): void {
    this.#facts.retell();
  }

  exposeMetrics(metrics: Metrics): void {
    this.#passive.exposeMetrics(metrics);
  }
}
