import { defaulted, type ForeignFile, optional } from './foreign-file.ts';
import { anything, bool, port, text, texts, whole, words } from './kinds.ts';

const STRATEGIES = {
  round_robin: 'round_robin',
  least_connections: 'least_connections',
  weighted_round_robin: 'weighted_round_robin',
  ip_hash: 'ip_hash',
  ip_hash_consistent: 'ip_hash',
};
const SECONDS = 'Seconds.';

/** Keys of Helios. */
export const HELIOS_KEYS = {
  'server.port': defaulted(port, 8080, 'listen', 'Every IPv4 address.'),
  'server.tls.enabled': defaulted(bool, false, 'listen[].tls'),
  'server.tls.certFile': optional(
    text,
    'listen[].tls.certificates[].cert',
    'Renewed files are taken up without a restart.',
  ),
  'server.tls.keyFile': optional(text, 'listen[].tls.certificates[].key'),
  'server.timeouts.read': defaulted(
    whole(0),
    15,
    'timeouts.request_header',
    `${SECONDS} For the head of a request. A body may take longer, as long as it does not pause.`,
  ),
  'server.timeouts.write': defaulted(
    whole(0),
    15,
    'timeouts.body_idle',
    `${SECONDS} How long a client may take nothing, instead of how long a response may take: long downloads and event streams are not cut.`,
  ),
  'server.timeouts.idle': defaulted(whole(0), 60, 'timeouts.idle', SECONDS),
  'server.timeouts.handler': optional(
    whole(0),
    'timeouts.request',
    `${SECONDS} It is enforced. Without it there is no limit.`,
  ),
  'server.timeouts.shutdown': defaulted(whole(0), 30, 'timeouts.shutdown', SECONDS),
  'server.timeouts.backend_dial': defaulted(whole(0), 10, 'timeouts.connect', SECONDS),
  'server.timeouts.backend_read': defaulted(
    whole(0),
    30,
    'timeouts.response',
    `${SECONDS} To the head of the response.`,
  ),
  'server.timeouts.backend_idle': optional(
    whole(0),
    'timeouts.backend_idle',
    `${SECONDS} Without it 4 seconds: backends that close earlier than Helios' 90 seconds would fail requests.`,
  ),
  'backends[].name': optional(text, 'pools.web.backends[].id'),
  'backends[].address': optional(text, 'pools.web.backends[].url'),
  'backends[].weight': defaulted(whole(0), 1, 'pools.web.backends[].weight', '0 is 1, as it is in Helios.'),
  'load_balancer.strategy': defaulted(
    words(STRATEGIES),
    'round_robin',
    'pools.web.strategy',
    '`ip_hash_consistent` is `ip_hash`: a backend that goes moves its own clients only, and a client stays however busy its backend is.',
  ),
  'load_balancer.websocket_pool.enabled': defaulted(
    bool,
    false,
    '',
    'A WebSocket has its connection for itself; `limits.upgrades` bounds how many there are.',
  ),
  'load_balancer.websocket_pool.max_idle': defaulted(whole(0), 10, '', 'As above.'),
  'load_balancer.websocket_pool.max_active': defaulted(whole(0), 100, '', 'As above.'),
  'load_balancer.websocket_pool.idle_timeout_seconds': defaulted(whole(0), 300, '', 'As above.'),
  'health_checks.active.enabled': defaulted(bool, false, 'pools.web.health.type', '`http`, or `none`.'),
  'health_checks.active.interval': defaulted(whole(1), 10, 'pools.web.health.interval', SECONDS),
  'health_checks.active.timeout': defaulted(whole(1), 5, 'pools.web.health.timeout', SECONDS),
  'health_checks.active.path': defaulted(
    text,
    '/',
    'pools.web.health.path',
    'Status 200 is healthy. One failure takes a backend out, and one success takes it back.',
  ),
  'health_checks.passive.enabled': defaulted(bool, false, 'pools.web.passive.enabled'),
  'health_checks.passive.unhealthy_threshold': defaulted(
    whole(1),
    3,
    'pools.web.passive.consecutive',
    'Failures in a row: a success begins the count anew.',
  ),
  'health_checks.passive.unhealthy_timeout': defaulted(whole(1), 30, 'pools.web.passive.eject_for', SECONDS),
  'rate_limit.enabled': defaulted(bool, false, 'rate_limit', 'By the address of the client.'),
  'rate_limit.max_tokens': defaulted(whole(1), 100, 'rate_limit.burst'),
  'rate_limit.refill_rate_seconds': defaulted(
    whole(1),
    1,
    'rate_limit.rate',
    'One request more in so many seconds.',
  ),
  'circuit_breaker.enabled': defaulted(
    bool,
    false,
    'pools.web.breaker.enabled',
    'Each backend has its own, so that one that fails does not stop the others.',
  ),
  'circuit_breaker.max_requests': defaulted(whole(0), 1, 'pools.web.breaker.half_open_requests', '0 is 1.'),
  'circuit_breaker.interval_seconds': defaulted(whole(1), 60, 'pools.web.breaker.window', SECONDS),
  'circuit_breaker.timeout_seconds': defaulted(whole(1), 60, 'pools.web.breaker.open_for', SECONDS),
  'circuit_breaker.failure_threshold': defaulted(whole(1), 5, 'pools.web.breaker.failures'),
  'circuit_breaker.success_threshold': defaulted(whole(1), 1, 'pools.web.breaker.successes'),
  'admin_api.enabled': defaulted(
    bool,
    false,
    'helios',
    "The API of Helios, with its paths and answers. Without it Usher's own commands are still served, on this machine alone.",
  ),
  'admin_api.port': defaulted(
    port,
    9091,
    'helios.address',
    "Every IPv4 address, with a token. Usher's own API is at 127.0.0.1:9092, or the next port that the file does not take.",
  ),
  'admin_api.auth_token': optional(
    text,
    'admin.tokens[].secret',
    'The role is `admin`. Without a token, or with one that is easily guessed, the API is on 127.0.0.1 only.',
  ),
  'admin_api.ip_allow_list': defaulted(
    texts,
    [],
    'admin.allow',
    'Addresses and networks; empty = all. A wrong one is a fault.',
  ),
  'admin_api.ip_deny_list': defaulted(
    texts,
    [],
    'admin.allow',
    'Taken out of what is allowed: denying wins.',
  ),
  'metrics.enabled': defaulted(bool, false, 'metrics', 'Without it `none`.'),
  'metrics.port': defaulted(port, 9090, 'metrics.address', 'Every IPv4 address.'),
  'metrics.path': defaulted(
    text,
    '/metrics',
    'metrics.path',
    'In the format of Prometheus; `/health` stays beside it, and can be no path of metrics.',
  ),
  'plugins.enabled': defaulted(bool, false, 'routes[].plugins'),
  'plugins.chain[].name': optional(
    text,
    'routes[].plugins[].name',
    '`gzip` is `compression`, `size_limit` is `limits.request_body`, `headers` is `response_headers` and `request_headers`, `custom-auth` is `api_keys`, `request-id` is always on. `logging` and plugins of your own have no equal.',
  ),
  'plugins.chain[].config': optional(
    anything,
    'routes[].plugins[]',
    '`gzip`: `min_size`, `level`, `content_types`. `size_limit`: `max_request_body`; responses are not limited. `headers`: `set`, `request_set`; those that a backend sends are replaced. `custom-auth`: `apiKey`, which needs 16 characters and does not go to the backend.',
  ),
  'logging.level': defaulted(
    words({ debug: 'debug', info: 'info', warn: 'warn', error: 'error', fatal: 'error' }),
    'info',
    'logging.level',
    '`fatal` is `error`.',
  ),
  'logging.format': defaulted(
    words({ text: 'text', console: 'text', json: 'json' }),
    'text',
    'logging.format',
    '`console` is `text`.',
  ),
  'logging.include_caller': defaulted(bool, false, '', 'The log does not name lines of code.'),
  'logging.request_id.enabled': defaulted(bool, false, '', 'Always on.'),
  'logging.request_id.header': defaulted(text, 'X-Request-ID', '', 'Always `X-Request-Id`.'),
  'logging.trace.enabled': defaulted(bool, false, '', 'Headers of traces are passed on, and none are made.'),
  'logging.trace.header': defaulted(text, 'X-Trace-ID', '', 'As above.'),
} as const;

/** A file of Helios. */
export type HeliosFile = ForeignFile<typeof HELIOS_KEYS>;
