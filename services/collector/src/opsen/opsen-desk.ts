import { isIP } from 'node:net';
import {
  distanceKm,
  onSphere,
  type Place,
  parseBackendUrl,
  type RouteDecision,
  UsherError,
} from '@usher/domain';
import { ROUTE_PREFIX, type RouteAnswer, type RouteRequest } from '@usher/events';
import type { ServiceContext } from '@usher/ports';
import type { Targets } from '@usher/runtime';
import type { FastifyRequest } from 'fastify';
import type { Collector } from '../collector.ts';
import { Body, OpsenRefusal } from './body.ts';
import { clientView, isActive } from './client-view.ts';
import { Clients } from './clients.ts';
import {
  backendIdOf,
  clientIdOf,
  endpointsOf,
  placeOf,
  registeredDetails,
  reportedDetails,
} from './registration.ts';
import { reportOf } from './report.ts';

/** How long a gateway may take to decide. */
const DECISION_TIMEOUT_MS = 3_000;
/** Fields of a request that are about the request itself and not about the one to be routed. */
const OWN_FIELDS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-api-key',
]);

export interface OpsenDeskOptions {
  /** Whose backends the clients are. */
  readonly pool: string;
  readonly endpoints: Targets;
  /** A client that has been silent for longer is stale. */
  readonly staleAfterMs: number;
}

/** Serves the calls of clients and agents that were written for Opsen, with the answers that its documentation gives. */
export class OpsenDesk {
  readonly #context: ServiceContext;
  readonly #collector: Collector;
  readonly #pool: string;
  readonly #endpoints: Targets;
  readonly #staleAfterMs: number;
  readonly #clients: Clients;

  constructor(
    context: ServiceContext,
    collector: Collector,
    { pool, endpoints, staleAfterMs }: OpsenDeskOptions,
  ) {
    this.#context = context;
    this.#collector = collector;
    this.#pool = pool;
    this.#endpoints = endpoints;
    this.#staleAfterMs = staleAfterMs;
    this.#clients = new Clients(context, pool);
  }

  /**
   * The client's backend is registered durably. Clients that were given no name of their own take a new one at each start,
   * so whoever had the same endpoint before goes.
   */
  async register(body: Body): Promise<object> {
    const clientId = clientIdOf(body);
    const backend = backendIdOf(clientId);
    const where = endpointsOf(body, this.#endpoints);
    const place = placeOf(body, ['latitude', 'longitude']);
    const actor = `opsen/${backend}`;
    const { agents } = this.#collector;
    const settings = { pool: this.#pool, ...where, ...(place === undefined ? {} : { place }) };
    await agents.register({ backend, actor }, settings);
    await this.#clients.remember(backend, registeredDetails(body));
    for (const { settings: other, origin, lifecycle } of this.#clients.backends()) {
      const replaced = origin === 'agent' && other.id !== backend && sameOrigin(other.url, where.url);
      if (replaced && lifecycle !== 'draining') await agents.deregister({ backend: other.id, actor });
    }
    return { status: 'registered' };
  }

  /** Refused with 404 for a client that is not registered, so that it can do so again. */
  async report(body: Body): Promise<object> {
    const clientId = clientIdOf(body);
    const backend = backendIdOf(clientId);
    if (this.#clients.find(backend) === undefined)
      throw new OpsenRefusal(404, `Unknown client_id: ${clientId}; register it first`);
    const report = reportOf(body, this.#context.clock.now(), this.#staleAfterMs);
    this.#collector.submit(backend, report);
    await this.#clients.amend(backend, clientId, (known) => reportedDetails(body, known));
    return { status: 'ok' };
  }

  async route(body: Body, { headers }: FastifyRequest): Promise<object> {
    const tier = body.text('tier') ?? '';
    const known = this.#context.fleet.state.pools.get(this.#pool)?.settings.tiers ?? [];
    if (!known.some(({ name }) => name === tier)) throw new OpsenRefusal(400, `Unknown tier: ${tier}`);
    const from = placeOf(body, ['client_lat', 'client_lon']);
    const clientIp = body.text('client_ip') ?? '';
    const decision = await this.#decide({
      host: 'opsen',
      path: '/',
      headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !OWN_FIELDS.has(name))),
      ...(isIP(clientIp) === 0 ? {} : { client_ip: clientIp }),
      tier,
      ...(from === undefined ? {} : { client_lat: from.latitude, client_lon: from.longitude }),
      pool: this.#pool,
    });
    const { chosen, url } = decision;
    if (chosen === null) throw new OpsenRefusal(503, 'No available clients with sufficient resources');
    const { clientId, hostname } = await this.#clients.details(chosen);
    const distance = this.#distance(chosen, from ?? decision.from ?? undefined);
    return {
      client_id: clientId,
      endpoint: url,
      hostname,
      ...(distance === undefined ? {} : { distance_km: distance }),
    };
  }

  async list(activeOnly: boolean): Promise<object[]> {
    const backends = this.#clients.backends().filter((each) => !activeOnly || isActive(each));
    return await Promise.all(
      backends.map(async (backend) => clientView(backend, await this.#clients.details(backend.settings.id))),
    );
  }

  /** Takes away the clients that no longer report. */
  async purge(): Promise<object> {
    const silent = this.#clients.backends().filter(({ origin, stale }) => origin === 'agent' && stale);
    for (const { settings } of silent)
      await this.#collector.agents.deregister({ backend: settings.id, actor: 'opsen/purge' });
    const purged = silent.length;
    return this.#done({ purged, cache_purged: purged, db_purged: purged });
  }

  /** What a decision names it does not reserve, so that nothing is pending that could be purged. */
  purgePending(): object {
    return this.#done({ purged: 0 });
  }

  #done(counts: object): object {
    return { status: 'success', ...counts, timestamp: new Date(this.#context.clock.now()).toISOString() };
  }

  health(): object {
    const backends = this.#clients.backends();
    return {
      status: 'ok',
      timestamp: new Date(this.#context.clock.now()).toISOString(),
      total_clients: backends.length,
      active_clients: backends.filter((each) => isActive(each)).length,
    };
  }

  async #decide(question: object): Promise<RouteDecision> {
    const message: RouteRequest = { act: 'decide', question };
    const answer = JSON.parse(await this.#ask(JSON.stringify(message))) as RouteAnswer;
    if (!answer.ok)
      throw new OpsenRefusal(answer.problem.status, answer.problem.detail ?? answer.problem.title);
    return answer.answer as RouteDecision;
  }

  async #ask(payload: string): Promise<string> {
    try {
      return await this.#context.bus.request(ROUTE_PREFIX, payload, DECISION_TIMEOUT_MS);
    } catch (error) {
      if (error instanceof UsherError && error.code === 'no_leader') throw new UsherError('no_gateway');
      throw error;
    }
  }

  #distance(backend: string, from: Place | undefined): number | undefined {
    const to = this.#clients.find(backend)?.settings.place;
    const [a, b] = [from, to].map((place) => place && onSphere(place));
    return a === undefined || b === undefined ? undefined : distanceKm(a, b);
  }
}

function sameOrigin(a: string, b: string): boolean {
  const [one, other] = [parseBackendUrl(a), parseBackendUrl(b)];
  if (typeof one === 'string' || typeof other === 'string') return a === b;
  return one.tls === other.tls && one.authority.toLowerCase() === other.authority.toLowerCase();
}
