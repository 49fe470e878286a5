import type { BackendState, GatewayState } from '@usher/domain';
import { decodeWord, encodeWords, IN_FLIGHT_PREFIX } from '@usher/events';
import type { MessageBus, ServiceContext, Subscription, Timer } from '@usher/ports';
import { HEAR_MS } from '../table/elsewhere.ts';
import { HeardGateways } from './heard-gateways.ts';
import type { Observations } from './observations.ts';
import type { Projector } from './projector.ts';
import type { Workers } from './workers.ts';

/** So long after the last others the workers are told that there are none: by then they have none in their averages. */
const FORGOTTEN_MS = 5_000;

/** What of a service's context is needed here. */
export interface InFlightContext extends Pick<ServiceContext, 'instance' | 'clock'> {
  readonly bus: Pick<MessageBus, 'publish' | 'subscribe'>;
  readonly fleet: {
    readonly state: {
      readonly gateways: ReadonlyMap<string, Pick<GatewayState, 'running'>>;
      readonly backends: ReadonlyMap<string, Pick<BackendState, 'lifecycle'>>;
    };
  };
}

/**
 * Lets all workers of all gateways know of each other's requests under way, ten times a second, so that strategies that go by
 * them see the fleet and not their own share of it. Nothing of it is an event: a message that is lost is replaced by the
 * next one, and what is old counts less until it counts for nothing. A lone worker says nothing and hears nothing, but what
 * is left on backends that drain, for whoever wants to see how far that is.
 */
export class InFlightExchange {
  readonly #context: InFlightContext;
  readonly #observations: Pick<Observations, 'inFlightOf'>;
  readonly #projector: Pick<Projector, 'needsLoad'>;
  readonly #workers: Pick<Workers, 'count' | 'post'>;
  readonly #heard = new HeardGateways();
  #timer: Timer | undefined;
  #subscription: Subscription | undefined;
  #round = 0;
  /** What was said last is that nothing is under way, or nothing was said yet. */
  #silent = true;
  /** Until when the workers are told. */
  #tellUntilMs = 0;

  constructor(
    context: InFlightContext,
    observations: Pick<Observations, 'inFlightOf'>,
    projector: Pick<Projector, 'needsLoad'>,
    workers: Pick<Workers, 'count' | 'post'>,
  ) {
    this.#context = context;
    this.#observations = observations;
    this.#projector = projector;
    this.#workers = workers;
  }

  start(): void {
    const { bus, clock } = this.#context;
    this.#subscription = bus.subscribe(`${IN_FLIGHT_PREFIX}.*`, (subject, payload) =>
      this.#hear(subject, payload),
    );
    this.#timer = clock.every(HEAR_MS, () => this.#exchange());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#subscription?.stop();
  }

  #hear(subject: string, payload: string): void {
    const { instance, clock } = this.#context;
    const gateway = subject.slice(IN_FLIGHT_PREFIX.length + 1);
    // What another version says in another way is as good as nothing.
    const word = gateway === instance ? undefined : decodeWord(payload);
    if (word !== undefined) this.#heard.hear(gateway, word, clock.steady());
  }

  #exchange(): void {
    const { count } = this.#workers;
    const nowMs = this.#context.clock.steady();
    const others = this.#forgetGone();
    const own = Array.from({ length: count }, (_, worker) => this.#countsOf(worker));
    const all = new Map<string, number>();
    for (const counts of own) for (const [id, count] of counts) all.set(id, (all.get(id) ?? 0) + count);
    const heardOf = others || [...all.keys()].some((id) => this.#isDraining(id));
    if (count > 1 || heardOf || !this.#silent) this.#tellUntilMs = nowMs + FORGOTTEN_MS;
    if (nowMs >= this.#tellUntilMs) return;
    this.#say(heardOf ? all : new Map());
    this.#heard.addTo(all, nowMs);
    this.#tellWorkers(own, all);
  }

  /** Answers whether other gateways run. */
  #forgetGone(): boolean {
    const { instance, fleet } = this.#context;
    let others = false;
    for (const [gateway, { running }] of fleet.state.gateways) {
      if (!running) this.#heard.forget(gateway);
      else if (gateway !== instance) others = true;
    }
    return others;
  }

  #countsOf(worker: number): ReadonlyMap<string, number> {
    const all = [...this.#observations.inFlightOf(worker)];
    return new Map(
      all.filter(([backend]) => this.#projector.needsLoad(backend) || this.#isDraining(backend)),
    );
  }

  #isDraining(backend: string): boolean {
    return this.#context.fleet.state.backends.get(backend)?.lifecycle === 'draining';
  }

  /** Says what this gateway has under way, once only when that is nothing. */
  #say(inFlight: ReadonlyMap<string, number>): void {
    if (inFlight.size === 0 && this.#silent) return;
    const { bus, instance } = this.#context;
    this.#silent = inFlight.size === 0;
    this.#round += 1;
    for (const word of encodeWords(this.#round, inFlight))
      bus.publish(`${IN_FLIGHT_PREFIX}.${instance}`, word);
  }

  #tellWorkers(own: readonly ReadonlyMap<string, number>[], all: ReadonlyMap<string, number>): void {
    for (const [worker, counts] of own.entries()) {
      const elsewhere = new Map<string, number>();
      for (const [id, count] of all) {
        const rest = count - (counts.get(id) ?? 0);
        if (rest > 0) elsewhere.set(id, rest);
      }
      this.#workers.post(worker, { kind: 'elsewhere', inFlight: elsewhere });
    }
  }
}
