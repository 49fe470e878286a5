import type { BackendState } from '@usher/domain';
import { decodeWord, IN_FLIGHT_PREFIX } from '@usher/events';
import type { ServiceContext, Subscription } from '@usher/ports';
import { type DrainView, instant } from './views.ts';

/** What a gateway said longer ago says nothing about now. */
const HEARD_MAX_MS = 3_000;

interface Heard {
  readonly round: number;
  readonly atMs: number;
  readonly inFlight: Map<string, number>;
}

/** How far drains are: what gateways say that they have under way, heard only while some backend drains. */
export class DrainProgress {
  readonly #context: ServiceContext;
  readonly #heard = new Map<string, Heard>();
  readonly #draining = new Set<string>();
  readonly #subscriptions: readonly Subscription[];

  constructor(context: ServiceContext) {
    const { bus, fleet } = context;
    this.#context = context;
    this.#note(fleet.state.backends.keys());
    this.#subscriptions = [
      fleet.onRecord(({ events }) =>
        this.#note(events.flatMap(({ data }) => ('backend' in data ? [data.backend] : []))),
      ),
      bus.subscribe(`${IN_FLIGHT_PREFIX}.*`, (subject, payload) => this.#hear(subject, payload)),
    ];
  }

  stop(): void {
    for (const subscription of this.#subscriptions) subscription.stop();
  }

  /** Null when it does not drain. */
  of(backend: BackendState): DrainView | null {
    const { settings, lifecycle, drainDeadlineMs, removing, emptiedBy } = backend;
    if (lifecycle !== 'draining') return null;
    const running = [...this.#context.fleet.state.gateways].filter(([, each]) => each.running);
    return {
      deadline: instant(drainDeadlineMs),
      removing,
      gateways: running.map(([gateway]) => {
        const done = emptiedBy.has(gateway);
        return { gateway, done, inFlight: done ? 0 : this.#saidBy(gateway, settings.id) };
      }),
    };
  }

  #saidBy(gateway: string, backend: string): number | null {
    const heard = this.#heard.get(gateway);
    if (heard === undefined || this.#context.clock.steady() - heard.atMs > HEARD_MAX_MS) return null;
    return heard.inFlight.get(backend) ?? 0;
  }

  #note(backends: Iterable<string>): void {
    for (const id of backends) {
      if (this.#context.fleet.state.backends.get(id)?.lifecycle === 'draining') this.#draining.add(id);
      else this.#draining.delete(id);
    }
    if (this.#draining.size === 0) this.#heard.clear();
  }

  #hear(subject: string, payload: string): void {
    if (this.#draining.size === 0) return;
    const word = decodeWord(payload);
    if (word === undefined) return;
    const gateway = subject.slice(IN_FLIGHT_PREFIX.length + 1);
    const { round } = word;
    const before = this.#heard.get(gateway);
    const inFlight = before?.round === round ? before.inFlight : new Map<string, number>();
    for (const [backend, count] of word.inFlight)
      if (this.#draining.has(backend)) inFlight.set(backend, count);
    this.#heard.set(gateway, { round, atMs: this.#context.clock.steady(), inFlight });
  }
}
