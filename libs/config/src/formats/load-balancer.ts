import type { Input } from '../input/input.ts';
import { duration, map, series, value, values } from './draft.ts';
import { defaulted, type ForeignFile, optional } from './foreign-file.ts';
import { keyedFormat } from './format.ts';
import { amount, bool, goDuration, port, text, texts, whole, words } from './kinds.ts';
import { backendUrl, certificate, FAILING_CLOSED, Ids, withMetrics } from './pieces.ts';
import { probeTimes } from './probe-times.ts';
import { openSslNames } from './tls-names.ts';

const VERSIONS = { TLS10: '1.0', TLS11: '1.1', TLS12: '1.2', TLS13: '1.3' };
const HOUR_MS = 3_600_000;
const RETRY_MAX = 10;
const AT_ONCE = 'A retry goes to another backend at once.';

const KEYS = {
  'server.port': optional(port, 'listen', 'Default 8080, every IPv4 address.'),
  'listen.port': optional(port, 'listen', 'The same in the form of its README.'),
  port: optional(port, 'listen', 'The same in older files.'),
  'server.tls.enabled': defaulted(bool, false, 'listen[].tls'),
  'server.tls.cert_file': optional(text, 'listen[].tls.certificates[].cert'),
  'server.tls.key_file': optional(text, 'listen[].tls.certificates[].key'),
  'server.tls.reload_interval': defaulted(
    goDuration,
    300_000,
    '',
    'Changed files are taken up without being told.',
  ),
  'server.tls.min_version': defaulted(
    words(VERSIONS),
    '1.2',
    'listen[].tls.min_version',
    '`TLS10` and `TLS11` become `1.2`: they are broken.',
  ),
  'server.tls.max_version': defaulted(words(VERSIONS), '1.3', '', 'TLS 1.3 is always on.'),
  'server.tls.cipher_suites': defaulted(texts, [], 'listen[].tls.ciphers', 'In the notation of OpenSSL.'),
  'listen.tls.enabled': defaulted(bool, false, 'listen[].tls', 'The keys of TLS in the form of its README.'),
  'listen.tls.cert_file': optional(text, 'listen[].tls.certificates[].cert'),
  'listen.tls.key_file': optional(text, 'listen[].tls.certificates[].key'),
  cert_file: optional(text, 'listen[].tls.certificates[].cert', 'In older files, together with `key_file`.'),
  key_file: optional(text, 'listen[].tls.certificates[].key'),
  algorithm: defaulted(
    words({
      'round-robin': 'round_robin',
      'least-connections': 'least_connections',
      'weighted-round-robin': 'weighted_round_robin',
      random: 'random',
    }),
    'round_robin',
    'pools.web.strategy',
    'Only backends that are healthy are chosen, also in turn.',
  ),
  'sticky_session.enabled': defaulted(bool, false, 'pools.web.sticky'),
  'sticky_session.type': defaulted(words({ cookie: 'cookie', ip: 'ip' }), 'cookie', 'pools.web.sticky.by'),
  'sticky_session.cookie_name': defaulted(text, 'lb_session', 'pools.web.sticky.name'),
  'sticky_session.ttl': optional(goDuration, 'pools.web.sticky.ttl', 'Default 24 hours.'),
  'sticky_session.timeout': optional(
    goDuration,
    'pools.web.sticky.ttl',
    'The same in the form of its README.',
  ),
  'sticky_session.max_sessions': defaulted(
    whole(0),
    10_000,
    '',
    'A cookie says which backend, so nothing is stored.',
  ),
  'sticky_session.cleanup_interval': defaulted(goDuration, HOUR_MS, '', 'As above.'),
  'health_check.interval': defaulted(goDuration, 5000, 'pools.web.health.interval'),
  'health_check.timeout': defaulted(goDuration, 2000, 'pools.web.health.timeout'),
  'health_check.path': defaulted(text, '/health', 'pools.web.health.path', 'Status 200 is healthy.'),
  'health_check.failure_threshold': defaulted(
    whole(1),
    3,
    'pools.web.health.fall',
    'As its README has it. One success takes a backend back.',
  ),
  'circuit_breaker.failure_threshold': defaulted(
    whole(1),
    5,
    'pools.web.breaker.failures',
    'Within 10 seconds instead of in a row. The defaults are those of its README.',
  ),
  'circuit_breaker.reset_timeout': defaulted(goDuration, 30_000, 'pools.web.breaker.open_for'),
  'circuit_breaker.half_open_limit': defaulted(
    whole(1),
    3,
    'pools.web.breaker.half_open_requests',
    'As many successes close it.',
  ),
  'retry.max_retries': optional(
    whole(0),
    'pools.web.retry.attempts',
    'At most 10, and only where it is safe. Without it one.',
  ),
  'retry.initial_interval': optional(goDuration, '', AT_ONCE),
  'retry.max_interval': optional(goDuration, '', AT_ONCE),
  'retry.multiplier': optional(amount, '', AT_ONCE),
  'retry.randomization': optional(amount, '', AT_ONCE),
  'backends[].id': optional(text, 'pools.web.backends[].id', 'Made of the URL when it is missing.'),
  'backends[].url': optional(text, 'pools.web.backends[].url'),
  'backends[].weight': defaulted(whole(0), 1, 'pools.web.backends[].weight', '0 is 1.'),
  'metrics.prometheus.enabled': defaulted(
    bool,
    true,
    'metrics',
    "By Usher's names; also at `metrics.address`, 127.0.0.1:9090.",
  ),
  'metrics.prometheus.path': defaulted(
    text,
    '/metrics',
    'routes[].path',
    'Among the traffic; at `metrics.address` they stay at `/metrics`.',
  ),
} as const;

type File = ForeignFile<typeof KEYS>;

export const loadBalancer = keyedFormat({
  name: 'load-balancer',
  title: 'load-balancer',
  table: KEYS,
  variables: [],
  flags: [],
  translate: (file) => {
    remarkOnTheRest(file);
    return map(
      {
        listen: listen(file),
        ...withMetrics(
          pool(file),
          {
            enabled: file.get('metrics.prometheus.enabled'),
            path: file.get('metrics.prometheus.path'),
          },
          file.remarks,
        ),
      },
      file.at,
    );
  },
});

function listen(file: File): Input {
  const ports = [file.get('server.port'), file.get('listen.port'), file.get('port')];
  const port = ports.find(({ written }) => written);
  const address = value(`0.0.0.0:${port?.value ?? 8080}`, port?.at);
  return series([map({ address, tls: tls(file) })]);
}

function tls(file: File): Input | undefined {
  const places = [
    ['server.tls.cert_file', 'server.tls.key_file', file.get('server.tls.enabled').value],
    ['listen.tls.cert_file', 'listen.tls.key_file', file.get('listen.tls.enabled').value],
    ['cert_file', 'key_file', file.get('cert_file').written],
  ] as const;
  const place = places.find(([, , enabled]) => enabled);
  if (place === undefined) return undefined;
  const [cert, key] = [file.get(place[0]), file.get(place[1])];
  const [min, max] = [file.get('server.tls.min_version'), file.get('server.tls.max_version')];
  const suites = file.get('server.tls.cipher_suites');
  if (min.value < '1.2') file.remarks.changed(min.path, min.at, 'TLS 1.2 is the oldest that is spoken');
  if (max.value < '1.3') file.remarks.lost(max.path, max.at, 'TLS 1.3 is always on');
  const ciphers = openSslNames(suites, file.remarks);
  return map({
    certificates: series([certificate(cert, key, file.placeOf(cert.path), file.remarks)]),
    min_version: min.written ? value(min.value < '1.2' ? '1.2' : min.value, min.at) : undefined,
    ciphers: ciphers === undefined ? undefined : value(ciphers, suites.at),
  });
}

function pool(file: File): Input {
  const algorithm = file.get('algorithm');
  return map(
    {
      strategy: value(algorithm.value, algorithm.at),
      backends: backends(file),
      ...FAILING_CLOSED,
      sticky: sticky(file),
      health: health(file),
      breaker: breaker(file),
      retry: retry(file),
    },
    file.placeOf('backends'),
  );
}

function backends(file: File): Input {
  const ids = new Ids();
  const items = file.items('backends').map((item) => {
    const [name, url, weight] = [
      item.get('backends[].id'),
      item.get('backends[].url'),
      item.get('backends[].weight'),
    ];
    if (url.value === undefined) file.remarks.fault(url.path, item.at, 'a backend needs its url');
    const id =
      name.value === undefined
        ? value(ids.derive(url.value ?? ''), url.at)
        : ids.name({ ...name, value: name.value }, file.remarks);
    return map(
      { id, url: backendUrl(url, file.remarks), weight: value(weight.value || 1, weight.at) },
      item.at,
    );
  });
  return series(items, file.placeOf('backends'));
}

function sticky(file: File): Input | undefined {
  const enabled = file.get('sticky_session.enabled');
  if (!enabled.value) return undefined;
  const [type, name] = [file.get('sticky_session.type'), file.get('sticky_session.cookie_name')];
  const [ttl, timeout] = [file.get('sticky_session.ttl'), file.get('sticky_session.timeout')];
  const life = value(duration(ttl.value ?? timeout.value ?? 24 * HOUR_MS), ttl.written ? ttl.at : timeout.at);
  return map({
    by: value(type.value, type.written ? type.at : enabled.at),
    name: type.value === 'cookie' ? value(name.value, name.at) : undefined,
    ttl: life,
    idle: life,
  });
}

function health(file: File): Input {
  const [interval, timeout, path] = [
    file.get('health_check.interval'),
    file.get('health_check.timeout'),
    file.get('health_check.path'),
  ];
  const fall = file.get('health_check.failure_threshold');
  return map({
    type: value('http'),
    path: value(path.value, path.at),
    expect_status: values([200]),
    ...probeTimes(interval, timeout, 1, file.remarks),
    fall: value(fall.value, fall.at),
    rise: value(1),
  });
}

function breaker(file: File): Input {
  const [failures, reset, limit] = [
    file.get('circuit_breaker.failure_threshold'),
    file.get('circuit_breaker.reset_timeout'),
    file.get('circuit_breaker.half_open_limit'),
  ];
  return map({
    failures: value(failures.value, failures.at),
    open_for: value(duration(reset.value), reset.at),
    half_open_requests: value(limit.value, limit.at),
    successes: value(limit.value, limit.at),
  });
}

function retry(file: File): Input | undefined {
  const { value: retries, at, path } = file.get('retry.max_retries');
  if (retries === undefined) return undefined;
  if (retries > RETRY_MAX) file.remarks.changed(path, at, `at most ${RETRY_MAX} tries`);
  return map({ attempts: value(Math.min(retries, RETRY_MAX), at) });
}

function remarkOnTheRest(file: File): void {
  const { remarks } = file;
  for (const path of [
    'retry.initial_interval',
    'retry.max_interval',
    'retry.multiplier',
    'retry.randomization',
  ] as const) {
    const { written, at } = file.get(path);
    if (written) remarks.lost(path, at, 'a retry goes to another backend at once');
  }
  const sessions = file.get('sticky_session.max_sessions');
  if (sessions.written)
    remarks.lost(sessions.path, sessions.at, 'a cookie says which backend, so nothing is stored');
}
