import { type Eligibility, eligibility, type FleetState } from '@usher/domain';
import { type Service, type ServiceContext, StoreUnavailableError } from '@usher/ports';
import type { Outage } from '@usher/runtime';
import type { DrainProgress } from './drain-progress.ts';
import {
  backendsOf,
  type DrainView,
  type GatewayView,
  gatewayView,
  instant,
  type PoolSummary,
  poolSummary,
} from './views.ts';

/** More sentences than this are counted instead of told. */
const SENTENCES_MAX = 50;
const SCHEDULER_LEASE = 'scheduler';
/** Outages that have sentences of their own below. */
const TOLD: ReadonlySet<string> = new Set(['event_log', 'store', 'scheduler']);

/** Where a status comes from beside the fleet's state. */
export interface StatusSources {
  /** Those that run in this process, and what else of it may have a fault. */
  readonly services: () => readonly Pick<Service, 'name' | 'fault'>[];
  /** What of the fleet this process does without. */
  readonly outages: () => readonly Outage[];
  readonly drains: DrainProgress;
}

/** How this process and, by what it knows, the fleet are. */
export interface Status {
  readonly instance: string;
  readonly version: string;
  /** Position of the last record folded here. */
  readonly position: number;
  /** Of the state at that position: equal on every process that folded as far. */
  readonly digest: string;
  /** `revision`: as a command may require it. */
  readonly config: { readonly revision: number; readonly hash: string } | null;
  readonly leader: { readonly scheduler: string; readonly term: number } | null;
  readonly log: Connection;
  readonly store: Connection;
  readonly pools: readonly PoolSummary[];
  readonly gateways: readonly GatewayView[];
  /** What of the fleet this process does without, and since when. */
  readonly outages: readonly { readonly part: string; readonly since: string; readonly what: string }[];
  /** Backends that drain. */
  readonly drains: readonly (DrainView & { readonly backend: string })[];
  /** One sentence for everything that is not as it should be; empty when all is well. */
  readonly degraded: readonly string[];
}

interface Connection {
  readonly connected: boolean;
  /** RFC 3339. */
  readonly since: string;
}

export async function statusOf(
  context: ServiceContext,
  { services, outages, drains }: StatusSources,
): Promise<Status> {
  const { instance, version, fleet, events, store } = context;
  const { state } = fleet;
  const { fault, replaced } = events.status();
  const [log, storage] = [events.status(), store.status()].map(({ connected, sinceMs }) => ({
    connected,
    since: instant(sinceMs),
  })) as [Connection, Connection];
  const leaderless = await nobodyLeads(context);
  const lasting = outages().map(({ part, sinceMs, what }) => ({ part, since: instant(sinceMs), what }));
  const sentences = [
    ...(fault === undefined ? [] : [`Event log: ${fault}.`]),
    ...(log.connected || replaced === true
      ? []
      : [`The event log has been away since ${log.since}: commands are refused.`]),
    ...(storage.connected ? [] : [`The state store has been away since ${storage.since}.`]),
    ...(leaderless ? ['No scheduler is leading: commands are refused.'] : []),
    ...lasting.flatMap(({ part, since, what }) => (TOLD.has(part) ? [] : [`${what} (since ${since}).`])),
    ...services().flatMap((service) => faultOf(service)),
    ...fleetFaults(state),
  ];
  return {
    instance,
    version,
    position: fleet.position,
    digest: fleet.digest(),
    config: state.config && { revision: state.config.changedAt, hash: state.config.hash },
    leader: state.leader,
    log,
    store: storage,
    pools: [...state.pools.values()].map((pool) => poolSummary(state, pool)),
    gateways: [...state.gateways].map(([id, gateway]) => gatewayView(id, gateway)),
    outages: lasting,
    drains: [...state.backends].flatMap(([backend, each]) => {
      const drain = drains.of(each);
      return drain === null ? [] : [{ backend, ...drain }];
    }),
    degraded: bounded(sentences),
  };
}

/** The log tells who was elected last; that they are still there, only the lease can tell. Unknown without the store. */
async function nobodyLeads({ store }: ServiceContext): Promise<boolean> {
  try {
    return (await store.listLeases(SCHEDULER_LEASE)).every(({ name }) => name !== SCHEDULER_LEASE);
  } catch (error) {
    if (error instanceof StoreUnavailableError) return false;
    throw error;
  }
}

function faultOf(service: Pick<Service, 'name' | 'fault'>): string[] {
  const fault = service.fault();
  return fault === undefined ? [] : [`${service.name}: ${fault}`];
}

function fleetFaults(state: FleetState): string[] {
  const sentences: string[] = [];
  if (![...state.gateways.values()].some(({ running }) => running)) sentences.push('No gateway is running.');
  for (const [gateway, { suspect }] of state.gateways) {
    if (suspect === null) continue;
    const { sinceMs, tripped, used } = suspect;
    sentences.push(
      `Gateway ${gateway} fails against ${tripped} of the ${used} backends that it uses, where others do not, since ${instant(sinceMs)}: its votes do not count.`,
    );
  }
  for (const [
    pool,
    {
      settings: { failOpen = true },
      panicBy,
    },
  ] of state.pools) {
    for (const [gateway, sinceMs] of panicBy)
      sentences.push(
        `Pool ${pool} is in panic in gateway ${gateway} since ${instant(sinceMs)}: requests go to all of its backends.`,
      );
    const backends = backendsOf(state, pool);
    if (panicBy.size === 0) sentences.push(...whoServes(pool, new Set(backends.map(eligibility)), failOpen));
    for (const { settings, health, healthCause, breaker, stale, ejectedBy } of backends) {
      if (health === 'unhealthy') sentences.push(`Backend ${settings.id} is unhealthy: ${healthCause}.`);
      if (breaker !== 'closed')
        sentences.push(`The breaker of backend ${settings.id} is ${breaker.replace('_', ' ')}.`);
      for (const [gateway, untilMs] of ejectedBy)
        sentences.push(`Gateway ${gateway} has ejected backend ${settings.id} until ${instant(untilMs)}.`);
      if (stale) sentences.push(`Backend ${settings.id} has stopped reporting its resources.`);
    }
  }
  return sentences;
}

/** Said of a pool that is in no panic. An open breaker means "send elsewhere", and "send nowhere" only to one that fails closed. */
function whoServes(pool: string, found: ReadonlySet<Eligibility>, failOpen: boolean): string[] {
  if (found.has('ok')) return [];
  const unknown = found.has('unknown') ? 'those that nobody has probed yet' : 'nobody';
  const resort = failOpen && (found.has('breaker_open') || found.has('unknown'));
  const whom = resort ? 'those with an open breaker, or that nobody has probed yet' : unknown;
  return [`Pool ${pool} has no backend that nothing speaks against: requests go to ${whom}.`];
}

function bounded(sentences: readonly string[]): readonly string[] {
  if (sentences.length <= SENTENCES_MAX) return sentences;
  return [...sentences.slice(0, SENTENCES_MAX), `And ${sentences.length - SENTENCES_MAX} more.`];
}
