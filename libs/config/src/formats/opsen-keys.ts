import { defaulted, type ForeignFile, optional } from './foreign-file.ts';
import { amount, anything, bool, port, text, texts, whole, words } from './kinds.ts';

const SECONDS = 'Seconds.';
const NO_DATABASE = 'Registrations are in the event log, below `data`.';
const MIB_10 = 10_485_760;
/** The words of both of Opsen's logs. */
export const LEVELS = {
  debug: 'debug',
  info: 'info',
  warn: 'warn',
  warning: 'warn',
  error: 'error',
  fatal: 'error',
};

/** Keys of the server of Opsen. */
export const OPSEN_KEYS = {
  port: defaulted(
    port,
    8080,
    'listen',
    'Traffic and API on one port: routes lead the paths of the API to `opsen`.',
  ),
  host: defaulted(text, '0.0.0.0', 'listen'),
  database: optional(text, '', NO_DATABASE),
  db_max_open_conns: optional(whole(0), '', NO_DATABASE),
  db_max_idle_conns: optional(whole(0), '', NO_DATABASE),
  db_conn_max_lifetime: optional(whole(0), '', NO_DATABASE),
  stale_minutes: defaulted(whole(1), 5, 'opsen.stale_after', 'At most a week.'),
  stale_client_timeout_minutes: optional(
    whole(1),
    'opsen.stale_after',
    'The same in its examples for Docker; `stale_minutes` counts more.',
  ),
  cleanup_interval_seconds: optional(whole(0), '', 'Nothing is cleaned up at intervals.'),
  log_level: defaulted(words(LEVELS), 'info', 'logging.level', '`fatal` is `error`.'),
  json_logging: defaulted(bool, false, 'logging.format'),
  proxy_enabled: defaulted(
    bool,
    true,
    'routes',
    'Of its examples for Docker; `false` takes the proxied routes away.',
  ),
  proxy_endpoints: defaulted(
    texts,
    [],
    'routes[].path',
    'By whole segments: `/api` is `/api/*`, and not `/apix`. `/`, `*` and `/*` are every path.',
  ),
  proxy_sse_flush_interval_ms: defaulted(whole(-1), -1, '', 'Everything is passed on at once.'),
  tls_cert_file: defaulted(text, '', 'listen[].tls.certificates[].cert'),
  tls_key_file: defaulted(text, '', 'listen[].tls.certificates[].key'),
  tls_insecure_skip_verify: defaulted(bool, false, 'pools.opsen.tls.verify', 'The opposite.'),
  server_key: defaulted(
    text,
    '',
    'opsen.keys',
    'Without any key calls to `localhost` are answered; it is said.',
  ),
  api_keys: defaulted(texts, [], 'opsen.keys'),
  whitelisted_ips: defaulted(
    texts,
    [],
    'routes[].clients.allow',
    'Of the API except `/health`. Addresses and networks; a wrong one is a fault. Others get 403 before their key is looked at.',
  ),
  rate_limit_per_minute: defaulted(
    whole(0),
    60,
    'routes[].rate_limit.rate',
    'Of the API except `/health`, by address. Proxied traffic is not limited. 0 = none.',
  ),
  rate_limit_burst: defaulted(whole(1), 120, 'routes[].rate_limit.burst'),
  max_request_body_bytes: defaulted(whole(1), MIB_10, 'limits.request_body', 'Larger ones get 413.'),
  request_timeout_seconds: defaulted(
    whole(0),
    30,
    'timeouts.response',
    `${SECONDS} To the head of the response, so that downloads and event streams are not cut.`,
  ),
  idle_timeout_seconds: defaulted(whole(1), 120, 'timeouts.idle', SECONDS),
  read_header_timeout_seconds: defaulted(whole(1), 10, 'timeouts.request_header', SECONDS),
  shutdown_timeout_seconds: defaulted(whole(0), 30, 'timeouts.shutdown', SECONDS),
  disable_security_headers: defaulted(
    bool,
    false,
    'security_headers',
    'Unless it is true: the same, but X-XSS-Protection, which browsers have given up, and Strict-Transport-Security over TLS alone.',
  ),
  enable_cors: defaulted(bool, false, 'cors', 'The same methods and headers. Who sends no Origin is served.'),
  cors_allowed_origins: defaulted(texts, [], 'cors.origins', 'Without any `*`.'),
  geoip_db_path: defaulted(text, '', 'geoip.database', 'For proxied requests too.'),
  sticky_header: defaulted(text, '', 'pools.opsen.sticky.name', 'Forgotten a day after the last request.'),
  sticky_by_ip: defaulted(bool, false, 'pools.opsen.sticky', '`by: ip`, or `fallback: ip` beside a header.'),
  sticky_affinity_enabled: defaulted(bool, true, 'pools.opsen.sticky.affinity'),
  pending_allocation_timeout_seconds: defaulted(
    whole(1),
    120,
    'pools.opsen.reserve_idle',
    `${SECONDS} Of sessions. A request without one has what it reserves until it is answered.`,
  ),
  tier_field_name: defaulted(text, 'tier', 'routes[].tier.field', 'Also `routes[].tier.query`.'),
  tier_header: defaulted(text, 'X-Tier', 'routes[].tier.header'),
  tiers: optional(
    anything,
    'pools.opsen.tiers',
    'Without any, the five of Opsen. `lite` is what a request without a tier gets; where there is no `lite`, it gets 400.',
  ),
  'tiers[].name': optional(text, 'pools.opsen.tiers[].name'),
  'tiers[].vcpu': defaulted(amount, 0, 'pools.opsen.tiers[].vcpu'),
  'tiers[].memory_gb': defaulted(amount, 0, 'pools.opsen.tiers[].memory', 'GiB.'),
  'tiers[].storage_gb': defaulted(amount, 0, 'pools.opsen.tiers[].storage', 'GiB.'),
  'tiers[].gpu': defaulted(whole(0), 0, 'pools.opsen.tiers[].gpus'),
  'tiers[].gpu_memory_gb': defaulted(
    amount,
    0,
    'pools.opsen.tiers[].gpu_memory',
    'GiB. Of all cards in Opsen, of each card in Usher: divided by `gpu`.',
  ),
  health_check_enabled: defaulted(bool, true, 'pools.opsen.health.type', '`false` is `none`.'),
  health_check_interval_seconds: defaulted(whole(1), 10, 'pools.opsen.health.interval', SECONDS),
  health_check_timeout_seconds: defaulted(whole(1), 2, 'pools.opsen.health.timeout', SECONDS),
  health_check_type: defaulted(text, 'tcp', 'pools.opsen.health.type', 'Anything else than `http` is `tcp`.'),
  health_check_path: defaulted(
    text,
    '/health',
    'pools.opsen.health.path',
    'Statuses from 200 to 399 are healthy.',
  ),
  health_check_unhealthy_threshold: defaulted(whole(1), 3, 'pools.opsen.health.fall'),
  health_check_healthy_threshold: defaulted(whole(1), 2, 'pools.opsen.health.rise'),
} as const;

/** A file of the server of Opsen. */
export type OpsenFile = ForeignFile<typeof OPSEN_KEYS>;
