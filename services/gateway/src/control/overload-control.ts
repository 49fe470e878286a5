import type { PolicySettings, PressureLevel } from '@usher/domain';
import type { ServiceContext, Timer } from '@usher/ports';
import type { WorkerOverload } from '../worker/pressure-watch.ts';
import type { FromWorker, PressureNews, WorkerStart } from '../worker/protocol.ts';
import { AdaptiveLimits } from './adaptive-limits.ts';
import type { Facts } from './facts.ts';
import { RateControl } from './rate-control.ts';
import type { Workers } from './workers.ts';

/** How often what the log did not take is told again. */
const TELL_MS = 1_000;

/** What is not served at a level. */
const SHED = ['nothing', 'sheddable', 'all_but_critical'] as const;

const FAULTS = [
  undefined,
  'too much to do: sheddable requests are not served',
  'too much to do: only critical requests are served',
] as const;

/** The control thread's part in keeping too much from clients, backends and the gateway itself. */
export class OverloadControl {
  readonly adaptive: AdaptiveLimits;
  readonly rates: RateControl;
  readonly #context: ServiceContext;
  readonly #facts: Facts;
  readonly #overload: WorkerOverload | undefined;
  /** By worker; those that are left out have no more to do than they can. */
  readonly #levels = new Map<number, PressureLevel>();
  #level: PressureLevel = 0;
  #split = false;
  #timer: Timer | undefined;

  constructor(
    context: ServiceContext,
    facts: Facts,
    overload: WorkerOverload | undefined,
    workers: () => Pick<Workers, 'post'>,
  ) {
    this.#context = context;
    this.#facts = facts;
    this.#overload = overload;
    this.adaptive = new AdaptiveLimits(context.clock);
    this.rates = new RateControl(context, {
      answer: (worker, answers) => workers().post(worker, { kind: 'rate_answers', answers }),
      onAway: () => this.#tell(),
    });
  }

  start(policy: PolicySettings): void {
    this.rates.follow(policy);
    this.rates.start();
    this.adaptive.start();
    this.#timer = this.#context.clock.every(TELL_MS, () => this.#tell());
    this.#expose();
  }

  stop(): void {
    this.#timer?.cancel();
    this.rates.stop();
    this.adaptive.stop();
  }

  /** What a worker that starts now has to know. */
  starting(policy: PolicySettings): Pick<WorkerStart, 'rates' | 'overload'> {
    this.rates.follow(policy);
    return { rates: this.rates.cells.shared, overload: this.#overload };
  }

  /** A sentence while some requests are not served. */
  get fault(): string | undefined {
    return FAULTS[this.#level];
  }

  forgetWorker(worker: number): void {
    if (this.#levels.delete(worker)) this.#settle();
  }

  onMessage(worker: number, message: FromWorker): void {
    if (message.kind === 'rate_asks') this.rates.ask(worker, message.asks);
    else if (message.kind === 'pressure') {
      this.#levels.set(worker, message.news.level);
      this.#settle(message.news);
    }
  }

  /** Says what has not been said of the rate limits. */
  #tell(): void {
    const { instance } = this.#context;
    const split = this.rates.awaySinceMs !== undefined;
    if (split === this.#split) return;
    const type = split ? 'gateway.rate_limits_split' : 'gateway.rate_limits_joined';
    if (this.#facts.tell({ type, subject: instance, data: { gateway: instance } })) this.#split = split;
  }

  #expose(): void {
    const { metrics } = this.#context;
    metrics.gauge(
      'usher_overload_level',
      'What each worker does not serve: 0 = it serves everything, 1 = not what is sheddable, 2 = only what is critical',
      () => Array.from(this.#levels, ([worker, value]) => ({ labels: { worker: String(worker) }, value })),
    );
    metrics.gauge(
      'usher_rate_limits_split',
      'Whether each gateway allows its part, because the store is away',
      () => [{ labels: {}, value: this.rates.awaySinceMs === undefined ? 0 : 1 }],
    );
    metrics.gauge(
      'usher_backend_concurrency_limit',
      'Requests that this gateway lets a backend have under way, where that follows its answers',
      () =>
        Array.from(this.adaptive.limits(), ({ pool, backend, limit }) => ({
          labels: { pool, backend },
          value: limit,
        })),
    );
  }

  /** Tells when the gateway as a whole does without more or less than before. `news`: of the worker that brought it about. */
  #settle(news?: PressureNews): void {
    const level = Math.max(0, ...this.#levels.values()) as PressureLevel;
    if (level === this.#level) return;
    const before = this.#level;
    this.#level = level;
    const { instance, log } = this.#context;
    const shed = SHED[level];
    const cause = level > before && news !== undefined ? news.cause : 'over';
    const found = news === undefined ? {} : { memory: news.memory, delayMs: news.delayMs };
    log[level > before ? 'warn' : 'info']('requests that are not served', { shed, cause, ...found });
    this.#facts.tell({
      type: 'gateway.shedding_changed',
      subject: instance,
      data: { gateway: instance, shed, cause },
    });
  }
}
