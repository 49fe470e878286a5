import type { Input } from '../input/input.ts';
import { duration, map, rate, series, value, values } from './draft.ts';
import { defaulted, type ForeignFile, type Given, optional } from './foreign-file.ts';
import { keyedFormat } from './format.ts';
import { bool, port, text, whole, words } from './kinds.ts';
import { backendUrl, FAILING_CLOSED, Ids, withMetrics } from './pieces.ts';
import { probeTimes } from './probe-times.ts';

const SECONDS = 'Seconds.';

const KEYS = {
  'server.port': defaulted(port, 8080, 'listen'),
  'server.host': defaulted(text, '0.0.0.0', 'listen'),
  'server.shutdownTimeout': defaulted(whole(0), 30, 'timeouts.shutdown', SECONDS),
  'backends[]': optional(text, 'pools.web.backends[].url', 'The id is made of host and port.'),
  'backends[].url': optional(text, 'pools.web.backends[].url', 'The id is made of host and port.'),
  'backends[].weight': defaulted(whole(0), 1, 'pools.web.backends[].weight', '0 is 1.'),
  'loadBalancing.algorithm': defaulted(
    words({
      'round-robin': 'round_robin',
      'least-connections': 'least_connections',
      'weighted-round-robin': 'weighted_round_robin',
    }),
    'round_robin',
    'pools.web.strategy',
    'Weights are kept exactly: 3, 2 and 1 get a half, a third and a sixth.',
  ),
  'healthCheck.interval': defaulted(whole(1), 30, 'pools.web.health.interval', SECONDS),
  'healthCheck.timeout': defaulted(
    whole(1),
    5,
    'pools.web.health.timeout',
    `${SECONDS} The path is \`/\`, and 200 is healthy. One failure takes a backend out, one success takes it back.`,
  ),
  'circuitBreaker.enabled': defaulted(bool, true, 'pools.web.breaker.enabled'),
  'circuitBreaker.maxFailures': defaulted(
    whole(1),
    5,
    'pools.web.breaker.failures',
    'Within 10 seconds instead of in a row.',
  ),
  'circuitBreaker.timeout': defaulted(whole(1), 60, 'pools.web.breaker.open_for', SECONDS),
  'circuitBreaker.resetTimeout': defaulted(
    whole(0),
    30,
    '',
    'What has been tried decides, however long that takes.',
  ),
  'circuitBreaker.halfOpenSuccess': defaulted(whole(1), 2, 'pools.web.breaker.successes'),
  'rateLimit.enabled': defaulted(bool, false, 'rate_limit'),
  'rateLimit.requestsPerSec': defaulted(whole(1), 100, 'rate_limit.rate'),
  'rateLimit.burst': optional(whole(1), 'rate_limit.burst', 'Default twice the rate.'),
  'rateLimit.perIP': defaulted(bool, false, 'rate_limit.by', '`ip`, else `global`.'),
} as const;

type File = ForeignFile<typeof KEYS>;

export const connx = keyedFormat({
  name: 'connx',
  title: 'ConnX',
  table: KEYS,
  variables: [],
  flags: [],
  translate: (file) => {
    const [host, port] = [file.get('server.host'), file.get('server.port')];
    const shutdown = file.get('server.shutdownTimeout');
    const reset = file.get('circuitBreaker.resetTimeout');
    if (reset.written)
      file.remarks.lost(
        reset.path,
        reset.at,
        'how long trying may take is not limited; what it shows decides',
      );
    return map(
      {
        listen: series([
          map({ address: value(addressOf(host.value, port.value), port.written ? port.at : host.at) }),
        ]),
        timeouts: map({ shutdown: value(duration(shutdown.value * 1000), shutdown.at) }),
        rate_limit: rateLimit(file),
        ...withMetrics(
          pool(file),
          {
            enabled: { value: true, at: file.at, path: '', written: false },
            format: 'connx',
          },
          file.remarks,
        ),
      },
      file.at,
    );
  },
});

/** An IPv6 address stands in brackets. */
export function addressOf(host: string, port: number): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]:${port}` : `${host}:${port}`;
}

function pool(file: File): Input {
  const algorithm = file.get('loadBalancing.algorithm');
  const [interval, timeout] = [file.get('healthCheck.interval'), file.get('healthCheck.timeout')];
  return map(
    {
      strategy: value(algorithm.value, algorithm.at),
      backends: backends(file),
      ...FAILING_CLOSED,
      health: map({
        type: value('http'),
        path: value('/'),
        expect_status: values([200]),
        ...probeTimes(interval, timeout, 1000, file.remarks),
        fall: value(1),
        rise: value(1),
      }),
      breaker: breaker(file),
    },
    file.placeOf('backends'),
  );
}

function backends(file: File): Input {
  const ids = new Ids();
  const items = file.items('backends').map((item) => {
    const plain = item.input('backends[]')?.kind === 'scalar';
    const url: Given<string | undefined> = plain ? item.get('backends[]') : item.get('backends[].url');
    const weight = plain ? undefined : item.get('backends[].weight');
    if (url.value === undefined) file.remarks.fault('backends[].url', item.at, 'a backend needs its url');
    return map(
      {
        id: value(ids.derive(url.value ?? ''), url.at),
        url: backendUrl(url, file.remarks),
        weight: weight?.written === true ? value(weight.value || 1, weight.at) : undefined,
      },
      item.at,
    );
  });
  return series(items, file.placeOf('backends'));
}

function breaker(file: File): Input {
  const enabled = file.get('circuitBreaker.enabled');
  if (!enabled.value) return map({ enabled: value(false, enabled.at) });
  const [failures, timeout, successes] = [
    file.get('circuitBreaker.maxFailures'),
    file.get('circuitBreaker.timeout'),
    file.get('circuitBreaker.halfOpenSuccess'),
  ];
  return map({
    failures: value(failures.value, failures.at),
    open_for: value(duration(timeout.value * 1000), timeout.at),
    successes: value(successes.value, successes.at),
  });
}

function rateLimit(file: File): Input | undefined {
  const enabled = file.get('rateLimit.enabled');
  if (!enabled.value) return undefined;
  const [perSecond, burst, perIp] = [
    file.get('rateLimit.requestsPerSec'),
    file.get('rateLimit.burst'),
    file.get('rateLimit.perIP'),
  ];
  return map({
    by: value(perIp.value ? 'ip' : 'global', perIp.written ? perIp.at : enabled.at),
    rate: value(rate(perSecond.value), perSecond.at),
    burst: value(burst.value ?? perSecond.value * 2, burst.at),
  });
}
