import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RateLimitSettings } from '@usher/domain';
import type { Clock, Random, RateBuckets, StateStore } from '@usher/ports';
import { RecordingLog, type SimulatedClock, seededRandom } from '@usher/testing';
import { RateControl } from '../control/rate-control.ts';
import { RateAsks } from '../rate/rate-asks.ts';
import { RateCells } from '../rate/rate-cells.ts';
import { RateLimiter } from '../rate/rate-limiter.ts';
import { type RateRule, ruleOf } from '../rate/rate-rule.ts';
import { policy, route } from './fixtures.ts';

type RateStore = Pick<StateStore, 'status'> & { readonly rates: RateBuckets };

export interface RateFleetOptions {
  readonly clock: Clock;
  readonly limit: RateLimitSettings;
  readonly gateways: number;
  /** Each gateway's connection to the store. */
  readonly store: (gateway: number) => RateStore;
  readonly log?: RecordingLog;
}

interface Gateway {
  readonly control: RateControl;
  readonly limiter: RateLimiter;
  readonly asks: RateAsks;
}

export interface RateRun {
  asked: number;
  passed: number;
  /** Requests that waited for the store. */
  waited: number;
  storeCalls: number;
}

/** Gateways as far as they hold clients to rate limits: the control side of each, and one worker without a thread. */
export class RateFleet {
  readonly gateways: readonly Gateway[];
  readonly rule: RateRule;
  readonly now: () => number;
  storeCalls = 0;
  waited = 0;

  constructor({ clock, limit, gateways, store, log = new RecordingLog() }: RateFleetOptions) {
    const settings = policy({
      routes: [route({ id: 'all', path: '/*', pool: 'web' })],
      rateLimit: limit,
    });
    this.rule = ruleOf(settings.routes[0]!, settings)!;
    this.now = () => clock.now();
    const running = new Map(Array.from({ length: gateways }, (_, each) => [`gw-${each}`, { running: true }]));
    const fleet = { state: { gateways: running } };
    this.gateways = Array.from({ length: gateways }, (_, index) => {
      const own = store(index);
      const counted = { rates: this.#counted(own.rates), status: () => own.status() };
      const control = new RateControl(
        { clock, log, random: seededRandom(index + 1), store: counted, fleet },
        { answer: (_, answers) => answers.forEach((answer) => asks.answered(answer)), onAway: () => {} },
      );
      const asks: RateAsks = new RateAsks((all) => control.ask(0, all), this.now);
      control.follow(settings);
      control.start();
      const cells = new RateCells(control.cells.shared);
      cells.setRules([this.rule]);
      return { control, asks, limiter: new RateLimiter(cells, asks, this.now) };
    });
  }

  stop(): void {
    for (const { control } of this.gateways) control.stop();
  }

  /** One request; resolves with whether it passes. */
  ask(gateway: number, key = '10.0.0.1'): Promise<boolean> {
    const { limiter } = this.gateways[gateway]!;
    const ticket = limiter.take(this.rule, key, this.now());
    if (ticket.outcome !== 'unknown') return Promise.resolve(ticket.outcome === 'allowed');
    this.waited += 1;
    return new Promise((resolve) => {
      limiter.wait(ticket, () => resolve(ticket.outcome === 'allowed'));
    });
  }

  #counted(rates: RateBuckets): RateBuckets {
    return {
      take: (...call) => {
        this.storeCalls += 1;
        return rates.take(...call);
      },
      give: (...call) => rates.give(...call),
    };
  }
}

export interface SimulatedRatesOptions extends RateFleetOptions {
  readonly clock: SimulatedClock;
  /** Resolves when the store has answered what it was asked; absent = it answers at once. */
  readonly answered?: () => Promise<unknown>;
}

/** Such a fleet on a clock that the run moves, a millisecond at a time. */
export class SimulatedRates extends RateFleet {
  readonly #clock: SimulatedClock;
  readonly #answered: () => Promise<unknown>;

  constructor({ answered = async () => {}, ...options }: SimulatedRatesOptions) {
    super(options);
    this.#clock = options.clock;
    this.#answered = answered;
  }

  /** Requests of one client, so many a second, by chance through gateways in proportion to `shares`. */
  async run(
    ms: number,
    perSecond: number,
    shares: readonly number[],
    random: Pick<Random, 'next'> = seededRandom(11),
  ): Promise<RateRun> {
    const before = { storeCalls: this.storeCalls, waited: this.waited };
    const run: RateRun = { asked: 0, passed: 0, waited: 0, storeCalls: 0 };
    const total = shares.reduce((sum, share) => sum + share, 0);
    let due = 0;
    for (let each = 0; each < ms; each++) {
      for (due += perSecond / 1_000; due >= 1; due -= 1) {
        let draw = random.next() * total;
        const gateway = shares.findIndex((share) => (draw -= share) < 0);
        run.asked += 1;
        void this.ask(gateway).then((passes) => (run.passed += passes ? 1 : 0));
      }
      await nextTurn();
      await this.#answered();
      await nextTurn();
      this.#clock.advance(1);
      if (each % 100 === 0) for (const { asks } of this.gateways) asks.sweep();
    }
    await nextTurn();
    await nextTurn();
    run.storeCalls = this.storeCalls - before.storeCalls;
    run.waited = this.waited - before.waited;
    return run;
  }
}
