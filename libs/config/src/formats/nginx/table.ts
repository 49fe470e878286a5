/** What is known of a directive of nginx; the page in docs/migrate is made from it. */
export interface KnownDirective {
  /** What stands for it in Usher; empty = nothing does. */
  readonly ours: string;
  readonly note: string;
  /** Said for every one that is met, when nothing stands for it; without it nothing is missed. */
  readonly lost?: string;
}

const BY_ITSELF: KnownDirective = { ours: '', note: 'Usher does it by itself.' };
const NOT_NEEDED: KnownDirective = { ours: '', note: 'Not needed.' };

function lost(message: string): KnownDirective {
  return { ours: '', note: `Not translated: ${message}.`, lost: message };
}

function becomes(ours: string, note = ''): KnownDirective {
  return { ours, note };
}

const LONGEST = 'The same for all routes; the largest counts.';
const BODY_IDLE = `With \`client_body_timeout\` and \`send_timeout\`. ${LONGEST}`;

const IN_TWO_LISTS =
  'Where `deny` comes before `allow`, or `deny all` at the end: who is kept out gets 403. For any other order the location is answered with 503.';

/** By name. */
export const NGINX_DIRECTIVES: Readonly<Record<string, KnownDirective>> = {
  http: becomes(
    'the whole file',
    'Also a file that is included into it, with `upstream` and `server` at the top.',
  ),
  worker_processes: becomes('workers'),
  upstream: becomes('pools.<name>'),
  'server (of an upstream)': becomes(
    'pools.<name>.backends[]',
    '`weight`, `max_conns`, `slow_start`; `max_fails` and `fail_timeout` are the `breaker` of the pool. `backup` and `down` get weight 0: they are never chosen. Others are told, and what a pool has once where a server has it otherwise.',
  ),
  least_conn: becomes('pools.<name>.strategy', '`least_connections`.'),
  ip_hash: becomes('pools.<name>.strategy', '`ip_hash`.'),
  hash: becomes(
    'pools.<name>.hash',
    '`consistent_hash`, by `$remote_addr`, `$request_uri`, `$uri`, a header or a cookie.',
  ),
  random: becomes('pools.<name>.strategy', '`random`, and `p2c` with `two`.'),
  least_time: becomes('pools.<name>.strategy', '`least_response_time`.'),
  sticky: becomes('pools.<name>.sticky', 'Of the kind `cookie`.'),
  health_check: becomes('pools.<name>.health', '`uri`, `interval`, `fails`, `passes`. Others are told.'),
  server: becomes('routes', 'Its addresses are left out when nothing in it can be translated.'),
  listen: becomes(
    'listen[]',
    '`ssl`, `proxy_protocol`. HTTP/2 is on. `80` beside `[::]:80` is one listener. Routes are the same on all listeners.',
  ),
  http2: becomes('listen[].http2', 'On unless it is `off`.'),
  server_name: becomes(
    'routes[].host',
    'Exact names and `*.example.com`. The first server of an address, or the `default_server`, is for every host.',
  ),
  location: becomes(
    'routes[].path',
    'Prefixes (`/api/` is `/api/*`, by whole segments) and `= /exact`. Not regular expressions. The most specific route counts.',
  ),
  proxy_pass: becomes(
    'routes[].pool',
    'An upstream, or a pool of one backend. A path behind the host takes the place of that of the location, as `rewrite`.',
  ),
  grpc_pass: becomes('routes[].pool', 'With `pools.<name>.http2`.'),
  proxy_ssl_verify: becomes('pools.<name>.tls.verify', 'Off unless it is `on`, as in nginx.'),
  proxy_ssl_trusted_certificate: becomes('pools.<name>.tls.ca'),
  proxy_ssl_name: becomes('pools.<name>.tls.server_name'),
  ssl_certificate: becomes('listen[].tls.certificates[].cert'),
  ssl_certificate_key: becomes('listen[].tls.certificates[].key'),
  ssl_protocols: becomes('listen[].tls.min_version', 'TLS 1.0 and 1.1 are not spoken.'),
  ssl_ciphers: becomes('listen[].tls.ciphers'),
  ssl_client_certificate: becomes('listen[].tls.client_ca'),
  ssl_verify_client: becomes('listen[].tls.client_auth', '`on` is `required`.'),
  proxy_connect_timeout: becomes('timeouts.connect', LONGEST),
  proxy_read_timeout: becomes('timeouts.response', `To the head of the response. ${LONGEST}`),
  grpc_connect_timeout: becomes('timeouts.connect', LONGEST),
  grpc_read_timeout: becomes('timeouts.response', `To the head of the response. ${LONGEST}`),
  client_header_timeout: becomes('timeouts.request_header', LONGEST),
  client_body_timeout: becomes('timeouts.body_idle', BODY_IDLE),
  send_timeout: becomes('timeouts.body_idle', BODY_IDLE),
  keepalive_timeout: becomes('timeouts.idle', `Towards clients. ${LONGEST}`),
  keepalive_requests: becomes('limits.requests_per_connection', 'Towards clients.'),
  client_max_body_size: becomes('limits.request_body', LONGEST),
  proxy_next_upstream: becomes(
    'pools.<name>.retry.attempts',
    '`off` is 0. Usher knows by itself what is safe.',
  ),
  proxy_next_upstream_tries: becomes('pools.<name>.retry.attempts', 'One less; at most 10.'),
  set_real_ip_from: becomes('trusted_proxies'),
  gzip: becomes('routes[].plugins', 'The plugin `compression`, with `gzip` alone.'),
  gzip_min_length: becomes('routes[].plugins[].min_size', 'Without it 1 KiB.'),
  gzip_types: becomes('routes[].plugins[].types', 'And `text/html`.'),
  gzip_comp_level: becomes('routes[].plugins[].levels.gzip', 'Without it that of Usher.'),
  limit_req_zone: becomes(
    'rate_limit',
    '`rate` and the key: an address, a header, or anything that is the same for all.',
  ),
  limit_req: becomes(
    'rate_limit',
    'Of `http`; of `server` and `location` it is that of the routes. `burst` and one more.',
  ),
  'proxy_set_header Host': BY_ITSELF,
  proxy_set_header: becomes(
    'routes[].request_headers',
    'Also with `$remote_addr`, `$host`, `$scheme`, `$request_id`, `$request_uri`; an empty value removes. Host, X-Forwarded-For, -Proto and -Host are there.',
  ),
  add_header: becomes(
    'routes[].response_headers.add',
    'With the same variables; in answers of every status, as with `always`.',
  ),
  rewrite: becomes(
    'routes[].rewrite',
    '`break` and `last` of a location, where the regular expression is the beginning of a path, as in `^/api/(.*)$ /v2/$1`. `permanent` and `redirect`, and whole URLs, are `routes[].redirect`, if they keep the whole path or nothing of it. Others are told.',
  ),
  return: becomes(
    'routes[].redirect',
    '301, 302, 303, 307 and 308 with a URL. `https://$host$request_uri` of servers without TLS is the word `https` of the routes with it, whose status is 308. 4xx is 403 by `routes[].clients`, 5xx is 503. Others are told.',
  ),
  root: lost('Usher serves no files'),
  alias: lost('Usher serves no files'),
  try_files: lost('Usher serves no files'),
  if: becomes(
    'routes[].redirect',
    'Around a `return` to `https://$host$request_uri`, of `$host = …` or of `$scheme`. Others are told.',
  ),
  include: lost('the file is not followed; import it by itself'),
  access_log: lost('there is no log of requests; metrics count them'),
  error_log: lost('the log goes to standard output, see `logging`'),
  auth_basic: lost('requests are not authenticated yet, so this would let everybody in'),
  auth_request: lost('requests are not authenticated yet, so this would let everybody in'),
  internal: { ours: '', note: 'The location is answered with 503.' },
  limit_except: { ours: '', note: 'The location is answered with 503.' },
  allow: becomes('routes[].clients', IN_TWO_LISTS),
  deny: becomes('routes[].clients', IN_TWO_LISTS),
  proxy_http_version: BY_ITSELF,
  proxy_buffering: { ours: '', note: 'Responses are passed on as they come.' },
  proxy_request_buffering: { ours: '', note: 'Requests are passed on as they come.' },
  keepalive: BY_ITSELF,
  zone: NOT_NEEDED,
  events: NOT_NEEDED,
  user: NOT_NEEDED,
  pid: NOT_NEEDED,
  worker_rlimit_nofile: NOT_NEEDED,
  worker_cpu_affinity: NOT_NEEDED,
  sendfile: NOT_NEEDED,
  tcp_nopush: NOT_NEEDED,
  tcp_nodelay: BY_ITSELF,
  types: NOT_NEEDED,
  default_type: NOT_NEEDED,
  types_hash_max_size: NOT_NEEDED,
  server_names_hash_bucket_size: NOT_NEEDED,
  log_format: NOT_NEEDED,
  server_tokens: NOT_NEEDED,
  index: NOT_NEEDED,
  proxy_buffers: NOT_NEEDED,
  proxy_buffer_size: NOT_NEEDED,
  proxy_busy_buffers_size: NOT_NEEDED,
  proxy_redirect: { ours: '', note: 'Redirects are passed on as they are.' },
  proxy_cache_bypass: NOT_NEEDED,
  proxy_ssl_server_name: BY_ITSELF,
  real_ip_header: { ours: '', note: '`X-Forwarded-For` and `Forwarded` are read.' },
  real_ip_recursive: BY_ITSELF,
  ssl_session_cache: BY_ITSELF,
  ssl_session_timeout: BY_ITSELF,
  ssl_session_tickets: BY_ITSELF,
  ssl_prefer_server_ciphers: BY_ITSELF,
  ssl_dhparam: NOT_NEEDED,
  gzip_vary: BY_ITSELF,
  gzip_proxied: BY_ITSELF,
  map: { ours: '', note: 'The usual one for `Connection: upgrade` is not needed; others are not read.' },
};
