import {
  type ExplainedArm,
  type Explanation,
  explainRoutes,
  FastRandom,
  type Features,
  onSphere,
  type Problem,
  placeOn,
  problemOf,
  type RouteDecision,
  type RouteQuestion,
  type RouteSettings,
  type TierSource,
  UsherError,
} from '@usher/domain';
import type { RouteAct } from '@usher/events';
import { comparableHost, type RequestHead } from '@usher/http1';
import type { PoolTable, RouteEntry } from '../routing-table.ts';
import { endpointFor } from '../table/endpoints.ts';
import { type ExplainedPool, urlOf } from '../table/explain-pool.ts';
import type { WorkerTable } from '../table/worker-table.ts';
import type { Locate, PlaceTools } from '../wire/client-place.ts';
import { type Peer, PeerDirectory } from '../wire/peer.ts';
import { featuresOfHead, tierSource } from '../wire/request-features.ts';
import { type Judged, judgeQuestion } from './judge-question.ts';
import { headOfQuestion } from './question-head.ts';

const LOCAL_ADDRESS = '127.0.0.1';
/** Of a request that no route takes. */
const NO_POOL: ExplainedPool = {
  choice: undefined,
  outcome: 'no_route',
  detail: '',
  session: null,
  among: null,
  candidates: [],
};
/** Of a request whose tier is none. */
const NO_TIER: ExplainedPool = { ...NO_POOL, outcome: 'unknown_tier' };

/** What a worker knows of its answer; the control thread adds whose it is. */
export type WorkerAnswer =
  | { readonly ok: true; readonly answer: Omit<Explanation, 'gateway'> | Omit<RouteDecision, 'gateway'> }
  | { readonly ok: false; readonly problem: Problem };

/** Where a request would go by the routes, and by what in the pool there. */
interface Aim {
  readonly head: RequestHead;
  readonly route: RouteSettings | undefined;
  readonly arm: ExplainedArm | null;
  /** Chance as it is after the arm was chosen. */
  readonly random: FastRandom;
  readonly pool: PoolTable | undefined;
  /** A sentence when the request does not say as it should what it needs. */
  readonly features: Features | string;
  readonly tier: Explanation['tier'];
  readonly from: Explanation['from'];
  /** What its route's policy makes of it. */
  readonly judged: Judged | undefined;
}

/** `pool` is undefined for a route that needs none. */
interface Target {
  readonly entry: RouteEntry | undefined;
  readonly arm: ExplainedArm | null;
  readonly pool: PoolTable | undefined;
}

/** Answers what the worker would do with a request, from the table that its lanes decide from. */
export class RouteDesk {
  readonly #now: () => number;
  readonly #table: WorkerTable;
  readonly #worker: number;
  readonly #tools: PlaceTools;

  constructor(table: WorkerTable, worker: number, locate: Locate, now: () => number) {
    this.#now = now;
    this.#table = table;
    this.#worker = worker;
    this.#tools = { peers: new PeerDirectory(), locate };
  }

  answer(act: RouteAct, question: RouteQuestion): WorkerAnswer {
    try {
      const { random } = this.#table.placing;
      // Whoever only asks takes no turn.
      const aim = this.#aim(question, act === 'explain' ? FastRandom.from(random.seed) : random);
      return { ok: true, answer: act === 'explain' ? this.#explain(aim) : this.#decide(aim) };
    } catch (error) {
      const known = error instanceof UsherError;
      return { ok: false, problem: known ? problemOf(error.code, error.detail) : problemOf('internal') };
    }
  }

  #explain(aim: Aim): Omit<Explanation, 'gateway'> {
    const { head, route, arm, pool, features, tier, from, judged } = aim;
    const answered = judged?.answer !== undefined;
    const { choice, detail, ...explained } = this.#explained(aim);
    const key = typeof features === 'string' ? 0 : features.key;
    const { routes } = this.#table.policy;
    return {
      worker: this.#worker,
      position: this.#table.position,
      routes:
        pool !== undefined && route === undefined
          ? []
          : explainRoutes(routes, comparableHost(head.host), head.path).map(({ route: each, verdict }) => ({
              route: each.id,
              host: each.host ?? null,
              path: each.path,
              pool: each.pool ?? null,
              verdict,
            })),
      route: route?.id ?? null,
      arm,
      plugins: route?.plugins.map(({ name }) => name) ?? [],
      policy: judged?.verdict ?? null,
      pool: pool?.id ?? null,
      strategy: pool?.settings.strategy ?? null,
      key: pool?.hash === undefined ? null : { ...pool.hash, hash: key },
      tier,
      reserve: pool?.settings.reserve ?? 'none',
      from,
      ...explained,
      chosen: choice?.id ?? null,
      detail: typeof features === 'string' && !answered ? features : detail,
    };
  }

  #explained({ head, pool, features, random, judged }: Aim): ExplainedPool {
    const { answer } = judged ?? {};
    if (answer !== undefined)
      return { ...NO_POOL, outcome: answer.code ?? 'answered', detail: answer.detail };
    if (pool === undefined) return NO_POOL;
    return typeof features === 'string' ? NO_TIER : this.#table.placing.explain(pool, features, head, random);
  }

  /** Takes its turn, as the first attempt of such a request would, but nothing is begun or reserved. */
  #decide(aim: Aim): Omit<RouteDecision, 'gateway'> {
    const { head, pool, features, from } = aim;
    const decidable = pool !== undefined && typeof features !== 'string';
    const slot = decidable ? this.#table.placing.decide(pool, features) : undefined;
    const { outcome, detail } =
      slot === undefined
        ? this.#explained({ ...aim, judged: undefined })
        : { outcome: 'backend' as const, detail: '' };
    return {
      worker: this.#worker,
      // It may have been the turn of somebody who has no room.
      outcome: slot === undefined && outcome === 'backend' ? 'no_capacity' : outcome,
      pool: pool?.id ?? null,
      chosen: slot?.id ?? null,
      url: slot === undefined ? null : urlOf(endpointFor(slot, head)),
      from,
      detail: typeof features === 'string' ? features : detail,
    };
  }

  #aim(question: RouteQuestion, random: FastRandom): Aim {
    const head = headOfQuestion(question, this.#table.policy.limits);
    const { clientIp = LOCAL_ADDRESS, tier: given, from, scheme = 'http' } = question;
    const peer = this.#tools.peers.describe(clientIp, scheme, this.#table.policy.trustedProxies);
    const { entry, arm, pool } = this.#target(question, head, peer, random);
    const route = entry?.settings;
    const asked = { head, peer, peers: this.#tools.peers, nowMs: this.#now() };
    const judged = entry === undefined ? undefined : judgeQuestion(entry, asked);
    const aim = { head, route, arm, random, judged };
    if (pool === undefined) return { ...aim, pool, features: 'no route takes it', tier: null, from: null };
    const detection = given === undefined ? route?.tier : { fieldBytesMax: 0, default: given };
    const found = featuresOfHead(head, { pool, settings: { tier: detection } }, peer, this.#tools);
    if (given !== undefined && typeof found === 'string') throw new UsherError('unknown_tier', found);
    const told = pool.asksWhere ? from && onSphere(from) : undefined;
    const features = typeof found === 'string' || told === undefined ? found : { ...found, from: told };
    const source = given === undefined ? tierSource(head, detection) : 'given';
    return { ...aim, pool, features, tier: tierOf(pool, features, source), from: placeIn(features) };
  }

  #target({ pool: named }: RouteQuestion, head: RequestHead, peer: Peer, random: FastRandom): Target {
    if (named === undefined) {
      const matched = this.#table.match(comparableHost(head.host), head.path);
      const explained = matched?.arms?.explain(head, peer, this.#tools.peers, random);
      const entry = explained?.entry ?? matched;
      const pool = entry?.settings.pool === undefined ? undefined : entry.pool;
      return { entry, arm: explained?.arm ?? null, pool };
    }
    const pool = [...this.#table.pools].find(({ id }) => id === named);
    if (pool === undefined) throw new UsherError('invalid_input', `pool: there is no pool ${named}`);
    return { entry: undefined, arm: null, pool };
  }
}

function tierOf({ settings }: PoolTable, features: Features | string, by: TierSource): Explanation['tier'] {
  const tier = typeof features === 'string' ? undefined : settings.tiers?.[features.tier];
  return tier === undefined ? null : { name: tier.name, by };
}

function placeIn(features: Features | string): Explanation['from'] {
  return typeof features === 'string' || features.from === undefined ? null : placeOn(features.from);
}
