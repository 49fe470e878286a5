import {
  type ErrorCode,
  type Explanation,
  explainRoutes,
  type Problem,
  problemOf,
  type RouteDecision,
  type RouteQuestion,
  type RouteSettings,
  UsherError,
} from '@usher/domain';
import type { RouteAct } from '@usher/events';
import type { RequestHead } from '@usher/http1';
import type { PoolTable } from '../routing-table.ts';
import { type ExplainedPool, urlOf } from '../table/explain-pool.ts';
import type { WorkerTable } from '../table/worker-table.ts';
import { PeerDirectory } from '../wire/peer.ts';
import { keyOfHead } from '../wire/request-key.ts';
import { headOfQuestion } from './question-head.ts';

/** Of a request that no route takes. */
const NO_POOL: ExplainedPool = { choice: undefined, outcome: 'no_route', among: null, candidates: [] };
const LOCAL_ADDRESS = '127.0.0.1';

/** What a worker knows of its answer; the control thread adds whose it is. */
export type WorkerAnswer =
  | { readonly ok: true; readonly answer: Omit<Explanation, 'gateway'> | Omit<RouteDecision, 'gateway'> }
  | { readonly ok: false; readonly problem: Problem };

/** Where a request would go by the routes. */
interface Aim {
  readonly routes: Explanation['routes'];
  readonly route: RouteSettings | undefined;
  readonly pool: PoolTable | undefined;
}

/** Answers what the worker would do with a request, from the table that its lanes decide from. */
export class RouteDesk {
  readonly #table: WorkerTable;
  readonly #worker: number;
  readonly #peers = new PeerDirectory();

  constructor(table: WorkerTable, worker: number) {
    this.#table = table;
    this.#worker = worker;
  }

  answer(act: RouteAct, question: RouteQuestion): WorkerAnswer {
    try {
      return { ok: true, answer: act === 'explain' ? this.#explain(question) : this.#decide(question) };
    } catch (error) {
      const known = error instanceof UsherError;
      return { ok: false, problem: known ? problemOf(error.code, error.detail) : problemOf('internal') };
    }
  }

  #explain(question: RouteQuestion): Omit<Explanation, 'gateway'> {
    const head = headOfQuestion(question, this.#table.policy.limits);
    const { routes, route, pool } = this.#aim(question, head);
    const key = pool === undefined ? 0 : this.#keyOf(question, head, pool);
    const explained = pool === undefined ? NO_POOL : this.#table.explain(pool, key);
    const { choice, ...rest } = explained;
    return {
      worker: this.#worker,
      position: this.#table.position,
      routes,
      route: route?.id ?? null,
      plugins: route?.plugins.map(({ name }) => name) ?? [],
      pool: pool?.id ?? null,
      strategy: pool?.settings.strategy ?? null,
      key: pool?.hash === undefined ? null : { ...pool.hash, hash: key },
      ...rest,
      chosen: choice?.id ?? null,
    };
  }

  /** Takes its turn, as the first attempt of such a request would, but nothing is begun. */
  #decide(question: RouteQuestion): Omit<RouteDecision, 'gateway'> {
    const head = headOfQuestion(question, this.#table.policy.limits);
    const { pool } = this.#aim(question, head);
    const key = pool === undefined ? 0 : this.#keyOf(question, head, pool);
    const slot = pool === undefined ? undefined : this.#table.pick(pool, [], key);
    return {
      worker: this.#worker,
      outcome: slot === undefined ? this.#whyNot(pool, key) : 'backend',
      pool: pool?.id ?? null,
      chosen: slot?.id ?? null,
      url: slot === undefined ? null : urlOf(slot),
    };
  }

  #whyNot(pool: PoolTable | undefined, key: number): 'waits' | ErrorCode {
    if (pool === undefined) return 'no_route';
    const { outcome } = this.#table.explain(pool, key);
    return outcome === 'backend' ? 'no_backend' : outcome;
  }

  #aim({ pool: named }: RouteQuestion, head: RequestHead): Aim {
    if (named !== undefined) {
      const pool = this.#table.poolNamed(named);
      if (pool === undefined) throw new UsherError('invalid_input', `pool: there is no pool ${named}`);
      return { routes: [], route: undefined, pool };
    }
    const host = head.host.toLowerCase();
    const entry = this.#table.match(host, head.path);
    const routes = explainRoutes(this.#table.policy.routes, host, head.path).map(({ route, verdict }) => ({
      route: route.id,
      host: route.host ?? null,
      path: route.path,
      pool: route.pool,
      verdict,
    }));
    return { routes, route: entry?.settings, pool: entry?.pool };
  }

  #keyOf({ clientIp = LOCAL_ADDRESS }: RouteQuestion, head: RequestHead, { hash }: PoolTable): number {
    if (hash === undefined) return 0;
    const peer = this.#peers.describe(clientIp, 'http', this.#table.policy.trustedProxies);
    return keyOfHead(head, peer, hash, this.#peers);
  }
}
