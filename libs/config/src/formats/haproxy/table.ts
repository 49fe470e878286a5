/** What is known of a keyword of HAProxy; the page in docs/migrate is made from it. */
export interface KnownKeyword {
  /** What stands for it in Usher; empty = nothing does. */
  readonly ours: string;
  readonly note: string;
  /** Said for every one that is met, when nothing stands for it; without it nothing is missed. */
  readonly lost?: string;
  /** It turns somebody away. */
  readonly isGuard?: boolean;
}

const BY_ITSELF: KnownKeyword = { ours: '', note: 'Usher does it by itself.' };
const NOT_NEEDED: KnownKeyword = { ours: '', note: 'Not needed.' };

function becomes(ours: string, note = ''): KnownKeyword {
  return { ours, note };
}

function lost(message: string): KnownKeyword {
  return { ours: '', note: `Not translated: ${message}.`, lost: message };
}

const LARGEST = 'The same for all routes; the largest counts.';
/** Said of rules that turn somebody away. */
export const LETS_IN = 'whom this turned away gets through';
const OF_PLACES = 'Always, or of hosts and paths.';
const OF_REQUESTS = `${OF_PLACES} With \`%[src]\`, \`%[hdr(host)]\`, \`%[path]\`, \`%[url]\`, \`%[unique-id]\`, \`%[ssl_fc,iif(https,http)]\` and texts. X-Forwarded-For, -Proto and -Host are there.`;
const OF_ANSWERS = `${OF_PLACES} Also in what the gateway answers itself.`;
const REDIRECTS =
  '`scheme`, `location` and `prefix`, with `code` and `drop-query`; always, or of hosts and paths. `scheme https` of those who come without TLS is the word `https`, whose status is 308.';
const TURNS_AWAY =
  'Of addresses (`src`), hosts and paths. Where those of hosts or paths ask anything else, everybody is kept out of them; without either it is told, and whom this turned away gets through. Before any redirect.';
const FORBIDDEN = 'The answer is 403.';
const STATISTICS = 'metrics are at `metrics.address`, and `usher status` shows what is known';

/** By keyword, or keyword and first word. */
export const HAPROXY_KEYWORDS: Readonly<Record<string, KnownKeyword>> = {
  mode: becomes('', '`http`. Sections of other modes are left out.'),
  frontend: becomes('routes', 'With `listen[]` for its addresses.'),
  backend: becomes('pools.<name>'),
  listen: becomes('pools.<name>', 'A frontend and a backend in one.'),
  defaults: becomes('', 'Count for the sections behind them.'),
  bind: becomes(
    'listen[]',
    '`ssl`, `crt` (certificate and key in one file), `ca-file`, `verify`, `ciphers`, `ssl-min-ver`, `accept-proxy`. HTTP/2 is on. Routes are the same on all listeners.',
  ),
  acl: becomes(
    'routes[]',
    'Of hosts (`hdr(host)`, `hdr_end(host)`, `ssl_fc_sni`) and paths (`path`, `path_beg`, `path_dir`). `path_beg /api` is `/api/*`, by whole segments.',
  ),
  use_backend: becomes(
    'routes[].pool',
    'With `if`, names of ACLs, ACLs in braces, and `or`. The most specific route counts, not the first.',
  ),
  default_backend: becomes('routes[].pool', 'The path is `/*`.'),
  balance: becomes(
    'pools.<name>.strategy',
    '`roundrobin`, `static-rr`, `leastconn`, `source`, `uri`, `hdr(…)`, `random`; `first` and others are `round_robin`.',
  ),
  'hash-type': becomes('pools.<name>.strategy', 'Hashing is always consistent, except that of `source`.'),
  server: becomes(
    'pools.<name>.backends[]',
    '`weight`, `maxconn`, `slowstart`, `check`, `inter`, `fall`, `rise`, `ssl`, `verify`, `ca-file`, `send-proxy`, `proto h2`. `backup` and `disabled` get weight 0: they are never chosen. Others are told, and what a pool has once, such as its probes, where a server has it otherwise.',
  ),
  'default-server': becomes('pools.<name>.backends[]', 'Options of the servers behind it.'),
  cookie: becomes('pools.<name>.sticky', '`insert`; with `maxidle`, `maxlife` and `domain`.'),
  'stick on': becomes('pools.<name>.sticky', '`src`, or a header.'),
  'stick-table': becomes('pools.<name>.sticky.idle', '`expire`.'),
  'option httpchk': becomes(
    'pools.<name>.health',
    'Of the type `http`; statuses from 200 to 399 unless told.',
  ),
  'option tcp-check': becomes('pools.<name>.health', 'Of the type `tcp`.'),
  'http-check send': becomes('pools.<name>.health.path', '`uri`.'),
  'http-check expect': becomes(
    'pools.<name>.health.expect_status',
    '`status`, and `rstatus` by its first digits.',
  ),
  'timeout connect': becomes('timeouts.connect', LARGEST),
  'timeout server': becomes('timeouts.response', `To the head of the response. ${LARGEST}`),
  'timeout client': becomes('timeouts.body_idle', LARGEST),
  'timeout http-request': becomes('timeouts.request_header', LARGEST),
  'timeout http-keep-alive': becomes('timeouts.idle', LARGEST),
  'timeout tunnel': becomes('timeouts.upgrade_idle', LARGEST),
  'timeout queue': becomes('pools.<name>.queue.timeout'),
  'timeout check': becomes('pools.<name>.health.timeout'),
  'hard-stop-after': becomes('timeouts.shutdown'),
  retries: becomes('pools.<name>.retry.attempts', 'On another backend, and only where it is safe.'),
  maxconn: becomes('limits.connections', 'Of `global`.'),
  nbthread: becomes('workers'),
  'compression algo': becomes(
    'routes[].plugins',
    '`gzip`, as the plugin `compression`; from 1 KiB on. `deflate` is told.',
  ),
  'compression type': becomes(
    'routes[].plugins[].types',
    'Without it, what is made of text is compressed; it is said.',
  ),
  'http-request set-header': becomes('routes[].request_headers.set', OF_REQUESTS),
  'http-request add-header': becomes('routes[].request_headers.add', OF_REQUESTS),
  'http-request del-header': becomes('routes[].request_headers.remove', OF_PLACES),
  'http-request replace-header': lost('headers are set, added and removed, and not searched'),
  'http-request replace-value': lost('headers are set, added and removed, and not searched'),
  'http-response set-header': becomes('routes[].response_headers.set', OF_ANSWERS),
  'http-response add-header': becomes('routes[].response_headers.add', OF_ANSWERS),
  'http-response del-header': becomes('routes[].response_headers.remove', OF_ANSWERS),
  'http-response replace-header': lost('headers are set, added and removed, and not searched'),
  'http-response replace-value': lost('headers are set, added and removed, and not searched'),
  'http-after-response set-header': becomes('routes[].response_headers.set', OF_PLACES),
  'http-after-response add-header': becomes('routes[].response_headers.add', OF_PLACES),
  'http-after-response del-header': becomes('routes[].response_headers.remove', OF_PLACES),
  'http-request redirect': becomes('routes[].redirect', REDIRECTS),
  redirect: becomes('routes[].redirect', REDIRECTS),
  'http-request deny': becomes('routes[].clients', TURNS_AWAY),
  'http-request tarpit': becomes('routes[].clients', `As \`http-request deny\`, at once. ${FORBIDDEN}`),
  'http-request reject': becomes('routes[].clients', `As \`http-request deny\`. ${FORBIDDEN}`),
  'http-request silent-drop': becomes('routes[].clients', `As \`http-request deny\`. ${FORBIDDEN}`),
  'http-request allow': becomes('routes[].clients', 'Of addresses, before rules that turn away.'),
  'http-request auth': becomes(
    'routes[].clients',
    'Nobody is asked for a password. Of hosts or paths, everybody is kept out of them; otherwise it is told, and whom this turned away gets through.',
  ),
  'tcp-request connection': becomes(
    'routes[].clients',
    `\`reject\`, as \`http-request deny\`. ${FORBIDDEN} Others are told.`,
  ),
  'tcp-request content': { ...lost(LETS_IN), isGuard: true },
  'option forwardfor': BY_ITSELF,
  'option redispatch': BY_ITSELF,
  'option http-keep-alive': BY_ITSELF,
  'option http-server-close': BY_ITSELF,
  'option httplog': lost('there is no log of requests; metrics count them'),
  'option dontlognull': NOT_NEEDED,
  'option tcplog': NOT_NEEDED,
  'timeout client-fin': NOT_NEEDED,
  'timeout server-fin': NOT_NEEDED,
  stats: lost(STATISTICS),
  errorfile: lost('errors are application/problem+json'),
  log: lost('the log goes to standard output, see `logging`'),
  daemon: NOT_NEEDED,
  user: NOT_NEEDED,
  group: NOT_NEEDED,
  chroot: NOT_NEEDED,
  pidfile: NOT_NEEDED,
  'ca-base': lost('write whole paths'),
  'crt-base': lost('write whole paths'),
  'ssl-default-bind-ciphers': lost('write `ciphers` at the listener'),
  'ssl-default-bind-ciphersuites': NOT_NEEDED,
  'ssl-default-bind-options': NOT_NEEDED,
  'ssl-default-server-ciphers': NOT_NEEDED,
  'ssl-default-server-options': NOT_NEEDED,
  'tune.ssl.default-dh-param': NOT_NEEDED,
};
