import { eligibility, type FleetState } from '@usher/domain';
import { type Service, type ServiceContext, StoreUnavailableError } from '@usher/ports';
import {
  backendsOf,
  type GatewayView,
  gatewayView,
  instant,
  type PoolSummary,
  poolSummary,
} from './views.ts';

/** More sentences than this are counted instead of told. */
const SENTENCES_MAX = 50;
const SCHEDULER_LEASE = 'scheduler';

/** How this process and, by what it knows, the fleet are. */
export interface Status {
  readonly instance: string;
  readonly version: string;
  /** Position of the last record folded here. */
  readonly position: number;
  /** Of the state at that position: equal on every process that folded as far. */
  readonly digest: string;
  readonly config: { readonly revision: number; readonly hash: string } | null;
  readonly leader: { readonly scheduler: string; readonly term: number } | null;
  readonly log: Connection;
  readonly store: Connection;
  readonly pools: readonly PoolSummary[];
  readonly gateways: readonly GatewayView[];
  /** One sentence for everything that is not as it should be; empty when all is well. */
  readonly degraded: readonly string[];
}

interface Connection {
  readonly connected: boolean;
  /** RFC 3339. */
  readonly since: string;
}

export async function statusOf(context: ServiceContext, services: readonly Service[]): Promise<Status> {
  const { instance, version, fleet, events, store } = context;
  const { state } = fleet;
  const { fault, replaced } = events.status();
  const [log, storage] = [events.status(), store.status()].map(({ connected, sinceMs }) => ({
    connected,
    since: instant(sinceMs),
  })) as [Connection, Connection];
  const leaderless = await nobodyLeads(context);
  const sentences = [
    ...(fault === undefined ? [] : [`Event log: ${fault}.`]),
    ...(log.connected || replaced === true
      ? []
      : [`The event log has been away since ${log.since}: commands are refused.`]),
    ...(storage.connected ? [] : [`The state store has been away since ${storage.since}.`]),
    ...(leaderless ? ['No scheduler is leading: commands are refused.'] : []),
    ...services.flatMap((service) => faultOf(service)),
    ...fleetFaults(state),
  ];
  return {
    instance,
    version,
    position: fleet.position,
    digest: fleet.digest(),
    config: state.config && { revision: state.config.revision, hash: state.config.hash },
    leader: state.leader,
    log,
    store: storage,
    pools: [...state.pools.values()].map((pool) => poolSummary(state, pool)),
    gateways: [...state.gateways].map(([id, gateway]) => gatewayView(id, gateway)),
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

function faultOf(service: Service): string[] {
  const fault = service.fault();
  return fault === undefined ? [] : [`${service.name}: ${fault}`];
}

function fleetFaults(state: FleetState): string[] {
  const sentences: string[] = [];
  if (![...state.gateways.values()].some(({ running }) => running)) sentences.push('No gateway is running.');
  for (const pool of state.pools.keys()) {
    const backends = backendsOf(state, pool);
    if (!backends.some((backend) => eligibility(backend) === 'ok'))
      sentences.push(`Pool ${pool} has no backend that may get requests.`);
    for (const { settings, health, healthCause, breaker, stale } of backends) {
      if (health === 'unhealthy') sentences.push(`Backend ${settings.id} is unhealthy: ${healthCause}.`);
      if (breaker !== 'closed')
        sentences.push(`The breaker of backend ${settings.id} is ${breaker.replace('_', ' ')}.`);
      if (stale) sentences.push(`Backend ${settings.id} has stopped reporting its resources.`);
    }
  }
  return sentences;
}

function bounded(sentences: readonly string[]): readonly string[] {
  if (sentences.length <= SENTENCES_MAX) return sentences;
  return [...sentences.slice(0, SENTENCES_MAX), `And ${sentences.length - SENTENCES_MAX} more.`];
}
