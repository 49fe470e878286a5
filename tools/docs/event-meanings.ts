import type { EventType } from '../../libs/events/src/index.ts';

/** What each event says, in one sentence; the type checker asks for one per type. */
export const MEANINGS: Readonly<Record<EventType, string>> = {
  'config.applied': 'The fleet took over the shared settings of a file; `hash` names them.',
  'route.added': 'A command added a route.',
  'route.updated': 'A command changed a route.',
  'route.removed': 'A command took a route away.',
  'limits.updated': 'A command changed how large things may be, or how many.',
  'pool.added': 'A pool exists from now on.',
  'pool.updated': 'A pool has other settings.',
  'pool.removed': 'A pool and its backends are gone.',
  'backend.registered': 'A backend exists from now on; `origin` says who declared it.',
  'backend.updated':
    'A backend has other settings; `health` is there if the change makes void what probes found before.',
  'backend.drain_started': 'A backend gets no new requests and has until the deadline to finish what it has.',
  'backend.drained': 'A draining backend has finished: it was empty, or its deadline passed.',
  'backend.disabled': 'An operator took a backend out at once.',
  'backend.enabled': 'An operator took a drained or disabled backend back in.',
  'backend.removed': 'A backend is gone.',
  'breaker.opened': 'Enough gateways found a backend failing: no gateway sends it requests until `untilMs`.',
  'breaker.half_opened': 'An open breaker is due: a limited number of trial requests may go to the backend.',
  'breaker.closed': 'The trials succeeded, or an operator closed it: the backend gets its share again.',
  'command.accepted':
    'A command was accepted; it ends the events that the command led to, and stands alone when it changed nothing.',
  'scheduler.elected': 'A scheduler leads from now on; its term is higher than every earlier one.',
  'gateway.lost': 'A gateway has not been heard of for too long; what it held is given back.',
  'admin.refused':
    'The admin API of a process refused calls: `count` of them over a while, the first kinds of them one by one. It is told at most once a second, and once a minute while it goes on.',
  'checkpoint.written': 'The fold of the log up to `position` has this digest; a replay must find the same.',
  'backend.became_healthy': 'Enough probes in a row succeeded.',
  'backend.became_unhealthy': 'Enough probes in a row failed; `cause` is what the last one met.',
  'backend.probes_passed':
    'A backend whose breaker is open answers its probes again; said once for each opening.',
  'backend.latency_measured':
    'How long the probes of a backend take, smoothed; written at most now and then.',
  'backend.stats_reported': 'What a backend’s agent reported, averaged over its window.',
  'backend.went_stale': 'A backend’s agent has not reported for too long.',
  'backend.came_back': 'A stale backend’s agent reports again.',
  'process.degraded':
    'A process does without a part of the fleet since `sinceMs`: the log, the store, or a service. Written when the log takes it.',
  'process.recovered': 'A process has a part of the fleet again that it did without since `sinceMs`.',
  'gateway.started': 'A gateway takes requests from now on.',
  'gateway.stopped': 'A gateway ended in an orderly way.',
  'gateway.observed': 'What a gateway saw of each backend since its last such event.',
  'gateway.shedding_changed':
    'A gateway has too much to do and answers some requests with 503 from now on, by the priority of their routes, or not any more.',
  'gateway.rate_limits_split':
    'A gateway does not reach the state store and allows its part of the rate limits by itself.',
  'gateway.rate_limits_joined': 'A gateway counts rate limits together with the others again.',
  'backend.emptied': 'A gateway has no request left on a draining backend.',
  'breaker.tripped':
    'A gateway’s own breaker for a backend opened; the gateway sends it nothing until `untilMs`.',
  'backend.ejected':
    'A gateway’s clients met too many failures of a backend: the gateway sends it nothing until `untilMs`.',
  'backend.readmitted': 'A gateway sends requests to a backend again that it had ejected.',
  'pool.panicked':
    'So few backends of a pool are eligible that a gateway sends requests to all of them that no operator took out.',
  'pool.calmed': 'Enough backends of a pool are eligible again: a gateway goes by their health.',
  'gateway.suspected':
    'A gateway fails against most of the backends that it uses, and others do not: its votes on breakers do not count.',
  'gateway.cleared': 'A gateway fails no more than others: its votes count again.',
  'breaker.recovered': 'A gateway’s own breaker for a backend closed again.',
  'sticky.cleared':
    'The sessions of a pool, or one of them, begin anew: what is known of them from before does not count any more.',
  'sticky.moved':
    'A gateway sends clients to other backends than before, for a reason; `count` of them, of whom `sessions` names the first.',
  'allocations.purged':
    'Gateways give back what they hold of a pool, or of one of its backends or for one session; each is told by its `allocation.released`.',
  'allocation.reserved':
    'A gateway holds resources of a backend from now on until they are released or expire; told anew when it passes to another gateway.',
  'allocation.released': 'A reservation was given back; its resources are free again.',
  'allocation.expired':
    'A reservation was swept: its time, or the lease of the gateway that held it, was over.',
};
