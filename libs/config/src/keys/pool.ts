import type {
  AdaptiveSettings,
  BackendSettings,
  BreakerSettings,
  PoolSettings,
  QueueSettings,
  RetrySettings,
} from '@usher/domain';
import { PROXY_PROTOCOLS, RESERVE_IDLE_MS, RESERVE_MODES, STORELESS_MODES } from '@usher/domain';
import { ID_PATTERN } from '@usher/events';
import type { Reading } from '../reading.ts';
import { list, mapped, record } from '../types/collections.ts';
import { parseId } from '../types/names.ts';
import { oneOf, trueOrFalse, wholeNumber } from '../types/scalar.ts';
import { defaulted, optional, section } from '../types/section.ts';
import { targets } from '../types/targets.ts';
import type { Type } from '../types/type.ts';
import { duration, percentage } from '../types/units.ts';
import { backend } from './backend.ts';
import { backendTls } from './backend-tls.ts';
import { discovery } from './discovery.ts';
import { health } from './health.ts';
import { passive } from './passive.ts';
import { clientLocation, scoring, tier } from './resources.ts';
import { nameCookie, sticky } from './sticky.ts';
import { resolveStrategy, strategyKeys } from './strategy.ts';

const counter = wholeNumber({ min: 1, max: 1000 });

const breaker: Type<BreakerSettings> = section({
  enabled: defaulted(true, {
    to: 'enabled',
    type: trueOrFalse,
    doc: 'Whether failures take a backend out for a while.',
  }),
  failures: defaulted(5, {
    to: 'failures',
    type: counter,
    doc: 'Failures within `window` that open the breaker. Only what is the fault of the backend counts.',
  }),
  window: defaulted('10s', {
    to: 'windowMs',
    type: duration({ min: '100ms', max: '1h' }),
    doc: 'Time in which the failures are counted.',
  }),
  open_for: defaulted('30s', {
    to: 'openForMs',
    type: duration({ min: '100ms', max: '24h' }),
    doc: 'How long the backend then gets no requests, or until `rise` probes of it in a row have succeeded.',
  }),
  half_open_requests: defaulted(3, {
    to: 'halfOpenRequests',
    type: counter,
    doc: 'Requests that may try the backend at the same time afterwards.',
  }),
  successes: defaulted(2, {
    to: 'successes',
    type: counter,
    doc: 'Successful tries that close the breaker again.',
  }),
});

const retry: Type<RetrySettings> = section({
  attempts: defaulted(1, {
    to: 'attempts',
    type: wholeNumber({ min: 0, max: 10 }),
    doc: 'Tries after the first one, each on another backend and only where it is safe: the request is idempotent, or nothing of it reached the backend.',
    why: 'A second backend answers nearly always when one fails; more tries turn a failure of all into a flood.',
  }),
  budget: defaulted('20%', {
    to: 'budgetRatio',
    type: percentage,
    doc: 'Largest share of retries among recent requests. A few are always allowed, so that quiet pools retry too.',
    why: 'Backends that fail under load are not given still more of it.',
  }),
});

const queue: Type<QueueSettings> = section({
  max: defaulted(1000, {
    to: 'max',
    type: wholeNumber({ min: 0, max: 1_000_000 }),
    doc: 'Most requests that wait at a time in one gateway; further ones are answered with 503 at once. 0 = none waits.',
  }),
  timeout: defaulted('5s', {
    to: 'timeoutMs',
    type: duration({ min: '1ms', max: '1h' }),
    doc: 'How long a request waits before it is answered with 503.',
    why: 'Longer than a burst lasts, shorter than most clients have patience.',
  }),
});

const adaptive: Type<AdaptiveSettings> = section({
  min: defaulted(3, {
    to: 'min',
    type: wholeNumber({ min: 1, max: 100_000 }),
    doc: 'Requests that each gateway may have under way on a backend however slow that is.',
  }),
  max: defaulted(1000, {
    to: 'max',
    type: wholeNumber({ min: 1, max: 100_000 }),
    doc: 'Most that it may have under way however fast that is.',
  }),
});

const keys = section({
  ...strategyKeys,
  backends: defaulted([], {
    to: 'backends',
    type: list(backend),
    doc: 'The backends, each a map or only its URL. A pool without any answers 503 until some are added by command.',
  }),
  discovery: optional('only those in `backends`', {
    to: 'discovery',
    type: discovery,
    doc: 'Finds further backends by DNS or in a file, and follows what is found there. Has one of `dns`, `srv` and `file`.',
  }),
  health: defaulted({}, { to: 'health', type: health, doc: 'How backends are probed.' }),
  breaker: defaulted({}, { to: 'breaker', type: breaker, doc: 'When a backend that fails is left alone.' }),
  passive: defaulted(
    {},
    {
      to: 'passive',
      type: passive,
      doc: 'When a backend is left out for how it serves clients, whatever its probes say.',
      why: 'The breaker is quick and forgets; this remembers, so that a backend that fails again and again stays away longer.',
    },
  ),
  panic: defaulted('50%', {
    to: 'panic',
    type: percentage,
    doc: 'With a smaller share of its backends eligible, a pool of three and more is in panic: requests go to all backends that no operator took out, but not to those that cannot be connected to as long as there are others. 0% = never.',
    why: 'So many failures at a time are more likely a wrong probe, or an overload that would bring the rest down too.',
  }),
  fail_open: defaulted(true, {
    to: 'failOpen',
    type: trueOrFalse,
    doc: 'Whether requests go also to backends whose breakers are open when there is nobody else. `false`: they are answered with 503 until a breaker lets somebody try, and there is no `panic`.',
    why: 'That finds the first one that recovers, where refusing would turn many errors into nothing but errors.',
  }),
  retry: defaulted({}, { to: 'retry', type: retry, doc: 'When a request is tried again.' }),
  tls: defaulted({}, { to: 'tls', type: backendTls, doc: 'How backends with an `https` URL are spoken to.' }),
  queue: defaulted(
    {},
    {
      to: 'queue',
      type: queue,
      doc: 'How requests wait, in order of arrival, while all backends that could take them are at their `max_connections` or have no room for their tier.',
    },
  ),
  adaptive_concurrency: optional('backends take what `max_connections` allows', {
    to: 'adaptive',
    type: adaptive,
    doc: 'Finds out for each backend how many requests it can have under way before they wait for each other there, by how its answers slow down. Further ones wait in the `queue`, or go to other backends. `max_connections` still holds.',
  }),
  proxy_protocol: defaulted('none', {
    to: 'proxyProtocol',
    type: oneOf(PROXY_PROTOCOLS),
    doc: 'Header of the PROXY protocol that every connection to a backend begins with: it names the client. Probes send one too, without a client.',
    why: 'With `v1` and `v2` each request gets a connection of its own, because a header speaks for the whole connection.',
  }),
  http2: defaulted(false, {
    to: 'http2',
    type: trueOrFalse,
    doc: 'Whether the backends are spoken to in HTTP/2, as gRPC needs it, whatever the clients speak. They must know it without being asked, and over TLS agree to it. There are no WebSockets to them, and no plugins.',
  }),
  drain: defaulted('30s', {
    to: 'drainMs',
    type: duration({ min: '1ms', max: '24h', zero: 'at once' }),
    doc: 'How long a backend that is drained may finish what it serves.',
  }),
  agents: defaulted(false, {
    to: 'agents',
    type: trueOrFalse,
    doc: 'Whether agents on the backends are expected to report CPU, memory, disk and GPU.',
  }),
  targets: optional('any host, but no forbidden network', {
    to: 'targets',
    type: targets,
    doc: 'Networks and hosts in which backends may be that agents register and commands add. With networks, all that names lead to has to be in them, also what `discovery` finds by DNS. Addresses of this machine, of a link, and of the services of clouds need a network of their own here.',
  }),
  tiers: defaulted([], {
    to: 'tiers',
    type: list(tier),
    doc: 'Classes of requests by what they need of a backend.',
  }),
  reserve: defaulted('none', {
    to: 'reserve',
    type: oneOf(RESERVE_MODES),
    doc: 'What a request reserves on its backend: nothing, the resources of its tier until it is answered (`request`), or those once for all requests of its session (`session`). What is reserved on a backend never exceeds what it has.',
  }),
  reserve_idle: defaulted(`${RESERVE_IDLE_MS / 60_000}m`, {
    to: 'reserveIdleMs',
    type: duration({ min: '10s', max: '24h' }),
    doc: 'For `reserve: session`: how long a session keeps what it has reserved after its last request.',
  }),
  reserve_without_store: defaulted('local_share', {
    to: 'reserveWithoutStore',
    type: oneOf(STORELESS_MODES),
    doc: 'What becomes of requests that reserve while the `store` is away, or was started anew and does not know yet what is reserved. `local_share`: each gateway reserves by itself within its part of what is free as far as the event log knows. `open`: they are served without a reservation. `closed`: they get 503.',
    why: 'With `local_share` a pool goes on and yet is not filled beyond what it has; only what a gateway has not heard of yet can be counted wrong.',
  }),
  client_location: optional('by the address of the client alone', {
    to: 'clientLocation',
    type: clientLocation,
    doc: 'Headers that tell where a client is, for backends that are chosen by their resources. They are believed where `trusted_proxies` sent them; without them the address of the client is looked up in the database of `geoip`.',
    why: 'Content delivery networks know it already, and some clients know it best.',
  }),
  scoring: defaulted(
    {},
    {
      to: 'scoring',
      type: scoring,
      doc: 'What makes a backend better than another when they are chosen by their resources; the least sum counts.',
    },
  ),
  sticky: optional('each request by itself', {
    to: 'sticky',
    type: sticky,
    doc: 'Keeps the requests of a client on one backend, until that may not get them any more.',
  }),
});

/** A pool and its backends, as the fleet wants them: apart from each other. */
export interface DeclaredPool {
  readonly settings: PoolSettings;
  readonly backends: readonly BackendSettings[];
}

type Declared = ReturnType<(typeof keys)['read']>;

function declare(id: string, pool: Declared, reading: Reading): DeclaredPool {
  const { backends, sticky, ...settings } = pool;
  if (pool.http2 && pool.proxyProtocol !== 'none') {
    reading.complain(pool, 'http2', 'excludes proxy_protocol, whose connections serve one request each');
  }
  const { adaptive } = pool;
  if (adaptive !== undefined && adaptive.min > adaptive.max)
    reading.complain(adaptive, 'min', 'is above max');
  const named = backends.map((declared, index) => {
    const path = reading.pathOf(declared);
    const backend: BackendSettings = { ...declared, id: declared.id ?? `${id}-${index + 1}`, pool: id };
    if (declared.id === undefined && ID_PATTERN.test(id) && !ID_PATTERN.test(backend.id)) {
      reading.complain(declared, '', `the derived id ${backend.id} is too long; give the backend an id`);
    }
    return reading.remember(backend, path);
  });
  const resolved: PoolSettings = {
    id,
    ...settings,
    ...resolveStrategy(pool, reading),
    tls: certificateName(pool, reading),
    ...(sticky === undefined ? {} : { sticky: nameCookie(sticky, id) }),
  };
  return { settings: reading.remember(resolved, reading.pathOf(pool)), backends: named };
}

/** Backends that are found have addresses for hosts, and certificates are for names. */
function certificateName({ discovery, tls }: Declared, reading: Reading): PoolSettings['tls'] {
  if (discovery === undefined || discovery.by === 'file' || !discovery.tls) return tls;
  if (tls.serverName !== undefined || !tls.verify) return tls;
  if (discovery.by === 'dns') return { ...tls, serverName: discovery.name };
  reading.complain(
    discovery,
    'srv',
    'with https the pool needs tls.server_name: the name in the certificates',
  );
  return tls;
}

/** What a pool is set to beside its backends. */
export function poolSettings(id: string): Type<PoolSettings> {
  return mapped(
    keys,
    (declared, _path, reading) => declare(id, declared, reading).settings,
    ({ id: _id, ...settings }) => settings,
  );
}

export const pools: Type<readonly DeclaredPool[]> = mapped(
  record(keys, { name: '<pool>', keyExpects: 'ids of pools', keyPattern: ID_PATTERN, parseKey: parseId }),
  (declared, _path, reading) => Array.from(declared, ([id, pool]) => declare(id, pool, reading)),
);
