import type { Input } from '../input/input.ts';
import { addressOf } from './connx.ts';
import { duration, map, series, value } from './draft.ts';
import { defaulted, type ForeignFile } from './foreign-file.ts';
import { keyedFormat } from './format.ts';
import { bool, goDuration, port, text, texts, whole, words } from './kinds.ts';
import { backendUrl, FAILING_CLOSED, Ids, withMetrics } from './pieces.ts';
import { probeTimes } from './probe-times.ts';

const KEYS = {
  'server.address': defaulted(text, '0.0.0.0', 'listen'),
  'server.port': defaulted(port, 8090, 'listen'),
  'backends.urls': defaulted(texts, [], 'pools.web.backends[].url', 'The ids are made of host and port.'),
  strategy: defaulted(
    words({ roundrobin: 'round_robin', leastconnection: 'least_connections' }),
    'round_robin',
    'pools.web.strategy',
  ),
  'circuit.failure_threshold': defaulted(
    whole(1),
    3,
    'pools.web.breaker.failures',
    'Within 10 seconds instead of in a row.',
  ),
  'circuit.timeout': defaulted(
    goDuration,
    10_000,
    'pools.web.breaker.open_for',
    'One trial that succeeds closes it.',
  ),
  'health.interval': defaulted(
    goDuration,
    5000,
    'pools.web.health.interval',
    'Of each backend, however many there are.',
  ),
  'health.timeout': defaulted(
    goDuration,
    2000,
    'pools.web.health.timeout',
    'The path is `/health`. One failure takes a backend out, one success takes it back.',
  ),
  'metrics.enabled': defaulted(
    bool,
    true,
    'metrics',
    'In the JSON of Velo, by the ids of pools; also at `metrics.address`, 127.0.0.1:9090, there with `?format=usher` for Prometheus.',
  ),
  'metrics.path': defaulted(
    text,
    '/metrics',
    'routes[].path',
    'Among the traffic; at `metrics.address` they stay at `/metrics`.',
  ),
} as const;

type File = ForeignFile<typeof KEYS>;

export const velo = keyedFormat({
  name: 'velo',
  title: 'Velo',
  table: KEYS,
  variables: [
    { name: 'LB_PORT', key: 'server.port' },
    { name: 'LB_ADDRESS', key: 'server.address' },
    { name: 'LB_STRATEGY', key: 'strategy' },
    { name: 'HEALTH_CHECK_INTERVAL', key: 'health.interval' },
    { name: 'HEALTH_CHECK_TIMEOUT', key: 'health.timeout' },
    { name: 'CIRCUIT_FAILURE_THRESHOLD', key: 'circuit.failure_threshold' },
    { name: 'CIRCUIT_TIMEOUT', key: 'circuit.timeout' },
  ],
  flags: [],
  translate: (file) => {
    const [address, port] = [file.get('server.address'), file.get('server.port')];
    const place = port.written ? port.at : address.at;
    return map(
      {
        listen: series([map({ address: value(addressOf(address.value, port.value), place) })]),
        ...withMetrics(
          pool(file),
          {
            enabled: file.get('metrics.enabled'),
            path: file.get('metrics.path'),
            format: 'velo',
          },
          file.remarks,
        ),
      },
      file.at,
    );
  },
});

function pool(file: File): Input {
  const strategy = file.get('strategy');
  const [failures, timeout] = [file.get('circuit.failure_threshold'), file.get('circuit.timeout')];
  const [interval, probeTimeout] = [file.get('health.interval'), file.get('health.timeout')];
  return map(
    {
      strategy: value(strategy.value, strategy.at),
      backends: backends(file),
      ...FAILING_CLOSED,
      health: map({
        type: value('http'),
        path: value('/health'),
        ...probeTimes(interval, probeTimeout, 1, file.remarks),
        fall: value(1),
        rise: value(1),
      }),
      breaker: map({
        failures: value(failures.value, failures.at),
        open_for: value(duration(timeout.value), timeout.at),
        half_open_requests: value(1),
        successes: value(1),
      }),
    },
    file.placeOf('backends'),
  );
}

function backends(file: File): Input {
  const ids = new Ids();
  const urls = file.get('backends.urls');
  const places = file.input('backends.urls');
  const items = urls.value.map((url, index) => {
    const at = places?.kind === 'list' ? (places.items[index]?.at ?? urls.at) : urls.at;
    const given = { value: url, at, path: 'backends.urls[]', written: true };
    return map({ id: value(ids.derive(url), at), url: backendUrl(given, file.remarks) }, at);
  });
  return series(items, file.placeOf('backends.urls'));
}
