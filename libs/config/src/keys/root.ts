import { resolve } from 'node:path';
import type { RouteSettings, SharedSettings } from '@usher/domain';
import { fitForId } from '@usher/events';
import { checkReferences } from '../checks.ts';
import type { LocalSettings, UsherConfig } from '../settings.ts';
import { list, mapped } from '../types/collections.ts';
import { filePath, id } from '../types/names.ts';
import { network } from '../types/network.ts';
import { plainSecret } from '../types/secret.ts';
import { defaulted, optional, section } from '../types/section.ts';
import type { Type } from '../types/type.ts';
import { admin, metrics } from './admin.ts';
import { helios } from './helios.ts';
import { listener } from './listener.ts';
import { bus, geoip, logging, store, workers } from './local.ts';
import { opsen } from './opsen.ts';
import { overload } from './overload.ts';
import { limits, timeouts } from './policy.ts';
import { pools } from './pool.ts';
import { rateLimit } from './rate-limit.ts';
import { routes } from './route.ts';
import { SHARED_TRAFFIC_KEYS, splitTraffic } from './traffic/traffic.ts';

/** Names this process when the host name has no letter or digit. */
const NAMELESS = 'usher';

/** What gateways go by beside pools and routes. */
export const POLICY_KEYS = {
  trusted_proxies: defaulted([], {
    to: 'trustedProxies',
    type: list(network),
    doc: 'Networks whose `X-Forwarded-*` and `Forwarded` headers are believed, in CIDR notation.',
    why: 'Anyone can send such headers, so nobody is believed unasked.',
  }),
  timeouts: defaulted({}, { to: 'timeouts', type: timeouts, doc: 'How long things may take.' }),
  limits: defaulted({}, { to: 'limits', type: limits, doc: 'How large things may be, and how many.' }),
  rate_limit: optional('no limit', {
    to: 'rateLimit',
    type: rateLimit,
    doc: 'How many requests may pass on routes that have no `rate_limit` of their own; one more is answered with 429. See [overload](../overload.md).',
  }),
  ...SHARED_TRAFFIC_KEYS,
};

/** Every key there is, in the order of the reference page. */
const keys = section({
  listen: defaulted(['0.0.0.0:8080'], {
    to: 'listen',
    type: list(listener, { min: 1 }),
    doc: 'Where traffic comes in. Each is a map, or only the address. Changes in the file count while the process runs, for new connections; an address that stays loses none.',
  }),
  workers: defaulted('auto', {
    to: 'workers',
    type: workers,
    doc: 'Threads that serve traffic; `auto` is one per available core.',
  }),
  name: optional('the host name made fit for an id', {
    to: 'name',
    type: id,
    doc: 'Name of this process in the fleet, unique in it.',
  }),
  ...POLICY_KEYS,
  pools: defaulted(
    {},
    { to: 'pools', type: pools, doc: 'The pools by their ids: backends and how one of them is chosen.' },
  ),
  routes: defaulted([], {
    to: 'routes',
    type: routes,
    doc: 'Which pool serves which request. The most specific route counts: exact host, then wildcard host, then any; exact path, then the longest prefix.',
  }),
  admin: defaulted(
    {},
    { to: 'admin', type: admin, doc: 'The admin API and the console; `none` switches them off.' },
  ),
  metrics: defaulted(
    {},
    {
      to: 'metrics',
      type: metrics,
      doc: 'Metrics and the health of this process; `none` switches them off.',
    },
  ),
  opsen: optional('clients of Opsen are not served', {
    to: 'opsen',
    type: opsen,
    doc: 'The API that clients and agents of Opsen know, in processes that run the collector: `/register`, `/stats`, `/route`, `/clients` and `/health`.',
  }),
  helios: optional("callers of Helios' admin API are not served", {
    to: 'helios',
    type: helios,
    doc: 'The admin API that callers of Helios know: `/v1/backends`, `/v1/backends/add`, `/v1/backends/remove`, `/v1/strategy`, `/v1/metrics` and `/v1/health`. Who may call is told by `admin`.',
  }),
  bus: defaulted('embedded', {
    to: 'bus',
    type: bus,
    doc: 'Event log and messages: `embedded` keeps them in `data` for a single process, NATS shares them among many.',
  }),
  store: defaulted('embedded', {
    to: 'store',
    type: store,
    doc: 'Short-lived shared state: `embedded` in this process, or a Redis server by its URL. The URL or its password may be a reference, as in `redis://:env:REDIS_PASSWORD@10.0.0.1:6379`.',
  }),
  data: defaulted('./data', {
    to: 'data',
    type: filePath,
    doc: 'Folder of the embedded log. A relative path starts at the folder of the configuration file, or without a file at the working directory.',
  }),
  geoip: optional('clients are nowhere', {
    to: 'geoip',
    type: geoip,
    doc: 'Where clients are by their addresses, for pools whose backends are chosen by their resources: the distance to a client counts then, see `scoring`.',
  }),
  overload: defaulted(
    {},
    {
      to: 'overload',
      type: overload,
      doc: 'When this process has too much to do, and does without requests of low `priority`.',
    },
  ),
  debug_token: optional('nobody is told', {
    to: 'debugToken',
    type: plainSecret('the text of the token'),
    doc: 'A request with the header `X-Usher-Debug: TOKEN` to a pool in panic is answered with `X-Usher-Panic`, such as `2/5`: of five backends two are eligible. The request goes to its backend with that header, as with any other.',
    why: 'That a pool is in trouble is nothing for every client to know.',
  }),
  logging: defaulted(
    {},
    { to: 'logging', type: logging, doc: 'The log of this process, on standard output.' },
  ),
});

/** The whole configuration. */
export const root: Type<UsherConfig> = mapped(keys, (given, _path, reading): UsherConfig => {
  const { listen, workers, admin, metrics, opsen, helios, bus, store, geoip, overload, logging, debugToken } =
    given;
  const name = given.name ?? nameFrom(reading.surroundings.hostname);
  if (given.name === undefined) reading.leaf('name', name, { kind: 'default' });
  const data = resolve(reading.surroundings.folder, given.data);
  const local: LocalSettings = {
    name,
    listen,
    workers,
    admin,
    metrics,
    bus,
    store,
    data,
    overload,
    logging,
    ...(geoip === undefined ? {} : { geoip }),
    ...(debugToken === undefined ? {} : { debugToken }),
    ...(opsen === undefined ? {} : { opsen }),
    ...(helios === undefined ? {} : { helios }),
  };
  const shared: SharedSettings = {
    pools: given.pools.map((pool) => pool.settings),
    backends: given.pools.flatMap((pool) => pool.backends),
    routes: given.routes.map((route, index) =>
      reading.remember<RouteSettings>(
        { ...route, id: route.id ?? `route-${index + 1}` },
        reading.pathOf(route),
      ),
    ),
    timeouts: given.timeouts,
    limits: given.limits,
    trustedProxies: given.trustedProxies,
    ...(given.rateLimit === undefined ? {} : { rateLimit: given.rateLimit }),
    ...splitTraffic(given)[0],
  };
  checkReferences(local, shared, reading);
  return { local, shared };
});

function nameFrom(hostname: string): string {
  const fit = fitForId(hostname);
  return fit === '' ? NAMELESS : fit;
}
