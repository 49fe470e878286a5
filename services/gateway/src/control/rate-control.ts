import { hash } from 'node:crypto';
import { keptAhead, type PolicySettings, pauseAfterEmpty } from '@usher/domain';
import {
  type Clock,
  type Log,
  type Random,
  type RateBucket,
  type RateBuckets,
  type StateStore,
  StoreUnavailableError,
  type Timer,
} from '@usher/ports';
import type { RateAnswer, RateAsk } from '../rate/rate-asks.ts';
import { RateCells } from '../rate/rate-cells.ts';
import { type RateRule, ruleOf } from '../rate/rate-rule.ts';
import { RatesInHand } from './rates-in-hand.ts';

/** Clients about whom the store may be asked at a time; the requests of further ones are counted here alone. */
const UNDER_WAY_MAX = 10_000;
/** How often a store that was away is tried. */
const RETRY_MS = 300;
const GATEWAYS_MS = 1_000;
const SEED_MAX = 2 ** 32;

export interface RateControlContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly random: Random;
  readonly store: { readonly rates: RateBuckets } & Pick<StateStore, 'status'>;
  readonly fleet: {
    readonly state: { readonly gateways: ReadonlyMap<string, { readonly running: boolean }> };
  };
}

export interface RateHearers {
  answer(worker: number, answers: readonly RateAnswer[]): void;
  /** The store went away or came back. */
  onAway(): void;
}

interface Waiting {
  readonly worker: number;
  readonly id: number;
}

/** Questions about one client: those with the store, and those that came since. */
interface Round {
  readonly rule: RateRule;
  readonly key: string;
  next: Waiting[];
  /** More is wanted, whoever waits. */
  again: boolean;
}

/**
 * Gets from the store what the fleet's clients may still ask for, a little ahead of use, and puts it where the workers find
 * it. While the store is away every gateway allows its part.
 */
export class RateControl {
  readonly cells = new RateCells();
  readonly #context: RateControlContext;
  readonly #hearers: RateHearers;
  readonly #inHand: RatesInHand;
  readonly #underWay = new Map<string, Round>();
  #rules: ReadonlyMap<number, RateRule> = new Map();
  #policy: PolicySettings | undefined;
  #timers: Timer[] = [];
  /** Of the present turn of the event loop, by worker. */
  #answers = new Map<number, RateAnswer[]>();
  #awaySinceMs: number | undefined;

  constructor(context: RateControlContext, hearers: RateHearers) {
    this.#context = context;
    this.#hearers = hearers;
    this.#inHand = new RatesInHand(this.cells, context.clock, (rule, key, unused) =>
      this.#give(rule, key, unused),
    );
    this.cells.seed(Math.floor(context.random.next() * SEED_MAX) | 0);
    this.#countGateways();
  }

  /** Since when each gateway counts for itself; undefined = all count together. */
  get awaySinceMs(): number | undefined {
    return this.#awaySinceMs;
  }

  start(): void {
    const { clock } = this.#context;
    this.#timers = [
      clock.every(GATEWAYS_MS, () => this.#countGateways()),
      clock.every(RETRY_MS, () => void this.#retry()),
    ];
    this.#inHand.start();
  }

  stop(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#inHand.stop();
  }

  /** Takes up the policy's limits. */
  follow(policy: PolicySettings): void {
    if (policy === this.#policy) return;
    this.#policy = policy;
    const rules = policy.routes.flatMap((route) => ruleOf(route, policy) ?? []);
    this.#rules = new Map(rules.map((rule) => [rule.id, rule]));
    this.cells.setRules(rules);
  }

  ask(worker: number, asks: readonly RateAsk[]): void {
    for (const { id, rule: ruleId, key } of asks) {
      const rule = this.#rules.get(ruleId);
      const waiting = id === undefined ? [] : [{ worker, id }];
      if (rule === undefined || this.#awaySinceMs !== undefined) this.#tellAway(waiting);
      else this.#askFor(rule, key, waiting);
    }
  }

  #askFor(rule: RateRule, key: string, waiting: readonly Waiting[]): void {
    const name = `${rule.id} ${key}`;
    const present = this.#underWay.get(name);
    if (present !== undefined) {
      present.next.push(...waiting);
      present.again ||= waiting.length > 0;
    } else if (this.#underWay.size >= UNDER_WAY_MAX) {
      this.#tellAway(waiting);
    } else {
      const round = { rule, key, next: [...waiting], again: true };
      this.#underWay.set(name, round);
      void this.#run(round).finally(() => this.#underWay.delete(name));
    }
  }

  async #run(round: Round): Promise<void> {
    // What comes with the same message is asked for together.
    await Promise.resolve();
    while (round.again) {
      const waiting = round.next;
      round.next = [];
      round.again = false;
      try {
        await this.#ask(round, waiting);
      } catch (error) {
        if (!(error instanceof StoreUnavailableError)) throw error;
        this.#setAway(true, error.message);
        this.#tellAway([...waiting, ...round.next]);
        return;
      }
    }
  }

  async #ask({ rule, key }: Round, waiting: readonly Waiting[]): Promise<void> {
    const { store, clock } = this.#context;
    const { settings } = rule;
    const { gateways } = this.cells;
    const kept = keptAhead(settings, gateways);
    const inHand = this.cells.inHand(rule.id, key);
    const wanted = waiting.length + Math.max(0, kept - inHand);
    const { taken, left, nextMs } = await store.rates.take(bucketOf(rule, key), wanted);
    const pauseMs = taken < wanted ? pauseAfterEmpty(settings, gateways, nextMs) : 0;
    const back = taken < waiting.length ? this.cells.takeBack(rule.id, key) : 0;
    const spare = Math.max(0, taken + back - waiting.length);
    const known = this.cells.putInHand(rule.id, key, spare, left, pauseMs, clock.now());
    if (known) this.#inHand.note(rule, key);
    else if (spare > 0) this.#give(rule, key, spare);
    const intervalMs = settings.perMs / settings.requests;
    const fullMs = (settings.burst - left - spare) * intervalMs;
    for (const [index, { worker, id }] of waiting.entries()) {
      if (index < taken + back)
        this.#tell(worker, { id, outcome: 'allowed', left: left + spare, afterMs: fullMs });
      else this.#tell(worker, { id, outcome: 'limited', left: 0, afterMs: pauseMs });
    }
  }

  /** What cannot be given back now comes back by itself when the bucket is full. */
  #give(rule: RateRule, key: string, unused: number): void {
    this.#context.store.rates.give(bucketOf(rule, key), unused).catch(() => {});
  }

  #tellAway(waiting: readonly Waiting[]): void {
    for (const { worker, id } of waiting) this.#tell(worker, { id, outcome: 'away', left: 0, afterMs: 0 });
  }

  #tell(worker: number, answer: RateAnswer): void {
    if (this.#answers.size === 0) setImmediate(this.#flush);
    const answers = this.#answers.get(worker);
    if (answers === undefined) this.#answers.set(worker, [answer]);
    else answers.push(answer);
  }

  readonly #flush = (): void => {
    const all = this.#answers;
    this.#answers = new Map();
    for (const [worker, answers] of all) this.#hearers.answer(worker, answers);
  };

  #countGateways(): void {
    let running = 0;
    for (const gateway of this.#context.fleet.state.gateways.values()) if (gateway.running) running += 1;
    this.cells.gateways = Math.max(1, running);
  }

  async #retry(): Promise<void> {
    const { store } = this.#context;
    const fleet = [...this.#rules.values()].some(({ settings }) => settings.scope === 'fleet');
    if (!fleet) return;
    if (this.#awaySinceMs === undefined && store.status().connected) return;
    try {
      await store.rates.take({ id: 'probe', intervalMs: 1, burst: 1 }, 0);
      this.#setAway(false);
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      this.#setAway(true, error.message);
    }
  }

  #setAway(away: boolean, cause?: string): void {
    const { clock, log } = this.#context;
    if (away === (this.#awaySinceMs !== undefined)) return;
    this.#awaySinceMs = away ? clock.now() : undefined;
    this.cells.away = away;
    this.#hearers.onAway();
    if (!away) log.info('rate limits count for the fleet again');
    else
      log.warn('the state store is away: each gateway allows its part of the rate limits', {
        cause,
        gateways: this.cells.gateways,
      });
  }
}

/** What a client sent may be a token that nobody else should see, and long. */
function bucketOf({ name, settings }: RateRule, key: string): RateBucket {
  const client = key === '' ? '' : hash('sha256', key, 'base64url').slice(0, KEY_LENGTH);
  const { requests, perMs, burst } = settings;
  return { id: `${name}/${settings.by}/${client}`, intervalMs: perMs / requests, burst };
}

/** 132 bits. */
const KEY_LENGTH = 22;
