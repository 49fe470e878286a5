import type { Input, MapInput } from '../input/input.ts';
import { addressOf } from './connx.ts';
import { duration, map, rate, series, size, value, values } from './draft.ts';
import { keyedFormat } from './format.ts';
import { listedNetworks } from './ip-lists.ts';
import { OPSEN_KEYS, type OpsenFile } from './opsen-keys.ts';
import { opsenPolicy } from './opsen-policy.ts';
import { tiers } from './opsen-tiers.ts';

import { OPSEN_POOL, ownPool } from './own-pools.ts';
import { certificate } from './pieces.ts';
import { probeTimes } from './probe-times.ts';

/** Where the API listens; routes lead its paths there, so that it shares a port with the traffic. */
const API = '127.0.0.1:9092';
const API_PATHS = ['/register', '/stats', '/route', '/clients/*', '/health'];
/** Anybody may ask, however often. */
const OPEN_PATH = '/health';
const MINUTE_MS = 60_000;

export const opsenServer = keyedFormat({
  name: 'opsen-server',
  title: 'Opsen (server)',
  table: OPSEN_KEYS,
  variables: [
    { name: 'OPSEN_SERVER_PORT', key: 'port' },
    { name: 'OPSEN_SERVER_HOST', key: 'host' },
    { name: 'OPSEN_SERVER_DATABASE', key: 'database' },
    { name: 'OPSEN_SERVER_STALE_TIMEOUT', key: 'stale_minutes' },
    { name: 'OPSEN_SERVER_CLEANUP_INTERVAL', key: 'cleanup_interval_seconds' },
  ],
  flags: [
    { name: 'port', key: 'port' },
    { name: 'host', key: 'host' },
    { name: 'db', key: 'database' },
    { name: 'stale', key: 'stale_minutes' },
    { name: 'cleanup-interval', key: 'cleanup_interval_seconds' },
  ],
  translate: (file) => {
    remarkOnTheRest(file);
    const declared = tiers(file);
    const geoip = file.get('geoip_db_path');
    const [body, json, level] = [
      file.get('max_request_body_bytes'),
      file.get('json_logging'),
      file.get('log_level'),
    ];
    return map(
      {
        listen: listen(file),
        timeouts: map({
          request_header: seconds(file, 'read_header_timeout_seconds'),
          response: seconds(file, 'request_timeout_seconds'),
          idle: seconds(file, 'idle_timeout_seconds'),
          shutdown: seconds(file, 'shutdown_timeout_seconds'),
        }),
        limits: map({ request_body: value(size(body.value), body.at) }),
        ...opsenPolicy(file),
        pools: map({ opsen: pool(file, declared), [OPSEN_POOL]: ownPool(OPSEN_POOL, API) }),
        routes: routes(file, declared),
        metrics: map({ address: value('127.0.0.1:9090') }),
        opsen: map({
          address: value(API),
          pool: value('opsen'),
          keys: keys(file),
          stale_after: staleAfter(file),
        }),
        geoip: geoip.value === '' ? undefined : map({ database: value(geoip.value, geoip.at) }),
        logging: map({
          level: value(level.value, level.at),
          format: value(json.value ? 'json' : 'text', json.at),
        }),
      },
      file.at,
    );
  },
});

/** 0 means no limit where Usher has that, and the default elsewhere. */
function seconds(
  file: OpsenFile,
  path:
    | 'read_header_timeout_seconds'
    | 'request_timeout_seconds'
    | 'idle_timeout_seconds'
    | 'shutdown_timeout_seconds',
): Input | undefined {
  const { value: count, at } = file.get(path);
  return count === 0 ? undefined : value(duration(count * 1000), at);
}

function listen(file: OpsenFile): Input {
  const [host, port] = [file.get('host'), file.get('port')];
  const [cert, key] = [file.get('tls_cert_file'), file.get('tls_key_file')];
  const tls =
    cert.value === '' && key.value === ''
      ? undefined
      : map({ certificates: series([certificate(cert, key, file.at, file.remarks)]) });
  return series([
    map({ address: value(addressOf(host.value, port.value), port.written ? port.at : host.at), tls }),
  ]);
}

function keys(file: OpsenFile): Input | undefined {
  const [server, others] = [file.get('server_key'), file.get('api_keys')];
  const all = [...(server.value === '' ? [] : [server.value]), ...others.value.filter((key) => key !== '')];
  if (all.length > 0) return values(all, server.written ? server.at : others.at);
  const message =
    'without a key calls to localhost are answered, and whoever reaches the port can say that theirs is one; give it one';
  file.remarks.changed('server_key', server.written ? server.at : file.at, message);
  return undefined;
}

function pool(file: OpsenFile, declared: Input): Input {
  const session = sticky(file);
  const pending = file.get('pending_allocation_timeout_seconds');
  const skip = file.get('tls_insecure_skip_verify');
  return map({
    strategy: value('resource'),
    agents: value(true),
    tiers: declared,
    reserve: value(session === undefined ? 'request' : 'session'),
    reserve_idle:
      session === undefined ? undefined : value(duration(Math.max(pending.value, 10) * 1000), pending.at),
    sticky: session,
    panic: value('0%'),
    health: health(file),
    tls: skip.value ? map({ verify: value(false, skip.at) }) : undefined,
  });
}

function sticky(file: OpsenFile): MapInput | undefined {
  const [header, byIp, affinity] = [
    file.get('sticky_header'),
    file.get('sticky_by_ip'),
    file.get('sticky_affinity_enabled'),
  ];
  if (header.value === '' && !byIp.value) return undefined;
  const times = { ttl: value('8760h'), idle: value('24h'), affinity: value(affinity.value, affinity.at) };
  if (header.value === '') return map({ by: value('ip', byIp.at), ...times });
  return map({
    by: value('header', header.at),
    name: value(header.value, header.at),
    fallback: byIp.value ? value('ip', byIp.at) : undefined,
    ...times,
  });
}

function health(file: OpsenFile): Input {
  const [enabled, type, path] = [
    file.get('health_check_enabled'),
    file.get('health_check_type'),
    file.get('health_check_path'),
  ];
  if (!enabled.value) return map({ type: value('none', enabled.at) });
  const [interval, timeout] = [
    file.get('health_check_interval_seconds'),
    file.get('health_check_timeout_seconds'),
  ];
  const [fall, rise] = [
    file.get('health_check_unhealthy_threshold'),
    file.get('health_check_healthy_threshold'),
  ];
  const http = type.value === 'http';
  return map({
    type: value(http ? 'http' : 'tcp', type.at),
    path: http ? value(path.value, path.at) : undefined,
    expect_status: http ? values(['2xx', '3xx']) : undefined,
    ...probeTimes(interval, timeout, 1000, file.remarks),
    fall: value(fall.value, fall.at),
    rise: value(rise.value, rise.at),
  });
}

function routes(file: OpsenFile, declared: Input): Input {
  return series([...apiRoutes(file), ...proxiedRoutes(file, declared)]);
}

/** The paths of the API. */
function apiRoutes(file: OpsenFile): Input[] {
  const allow = listedNetworks(file.get('whitelisted_ips'), file.remarks);
  const [perMinute, burst] = [file.get('rate_limit_per_minute'), file.get('rate_limit_burst')];
  const limit =
    perMinute.value === 0
      ? undefined
      : map({
          by: value('ip', perMinute.at),
          rate: value(rate(perMinute.value / 60), perMinute.at),
          burst: value(burst.value, burst.at),
        });
  return API_PATHS.map((path) =>
    map({
      path: value(path),
      pool: value(OPSEN_POOL),
      clients: path === OPEN_PATH || allow === undefined ? undefined : map({ allow }),
      rate_limit: path === OPEN_PATH ? undefined : limit,
    }),
  );
}

function proxiedRoutes(file: OpsenFile, declared: Input): Input[] {
  const prefixes = file.get('proxy_endpoints');
  if (!file.get('proxy_enabled').value) return [];
  const [field, header] = [file.get('tier_field_name'), file.get('tier_header')];
  const names = declared.kind === 'list' ? declared.items.map(nameOf) : [];
  const tier = map({
    field: value(field.value, field.at),
    query: value(field.value, field.at),
    header: value(header.value, header.at),
    default: names.includes('lite') ? value('lite') : undefined,
  });
  const paths = new Set(prefixes.value.map(pathOf));
  return [...paths].map((path) => map({ path: value(path, prefixes.at), pool: value('opsen'), tier }));
}

function nameOf(tier: Input): string {
  const name = tier.kind === 'map' ? tier.entries.get('name')?.value : undefined;
  return name?.kind === 'scalar' ? name.text : '';
}

/** The route for a prefix, by whole segments. */
function pathOf(prefix: string): string {
  const bare = prefix.replace(/\*$/, '').replace(/\/+$/, '');
  return bare === '' ? '/*' : `${bare.startsWith('/') ? bare : `/${bare}`}/*`;
}

/** Under either of its names. */
function staleAfter(file: OpsenFile): Input | undefined {
  const [usual, alias] = [file.get('stale_minutes'), file.get('stale_client_timeout_minutes')];
  const given = usual.written || !alias.written ? usual : alias;
  if (alias.written && given === usual && alias.value !== usual.value)
    file.remarks.changed(alias.path, alias.at, 'stale_minutes counts');
  return given.written ? value(duration((given.value ?? usual.value) * MINUTE_MS), given.at) : undefined;
}

function remarkOnTheRest(file: OpsenFile): void {
  const { remarks } = file;
  remarks.changed(
    'POST /register',
    file.at,
    'endpoints may be in private networks only; `opsen.endpoints` names others',
  );
}
