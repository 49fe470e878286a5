import type { Input } from '../input/input.ts';
import { weaknessOf } from '../weak-secrets.ts';
import { duration, map, rate, series, unlessEmpty, value, values } from './draft.ts';
import { keyedFormat } from './format.ts';
import { type HeliosFile as File, HELIOS_KEYS } from './helios-keys.ts';
import { heliosPlugins } from './helios-plugins.ts';
import { allowedNetworks } from './ip-lists.ts';
import { backendUrl, certificate, FAILING_CLOSED, Ids, POOL, routeForAll } from './pieces.ts';
import { probeTimes } from './probe-times.ts';

/** Of Usher's own admin API, since that of Helios has the usual port. */
const OWN_ADMIN = '127.0.0.1:9092';

export const helios = keyedFormat({
  name: 'helios',
  title: 'Helios',
  table: HELIOS_KEYS,
  variables: [],
  flags: [],
  translate: (file) => {
    const { plugins, requestBody, policy } = heliosPlugins(file);
    remarkOnTheRest(file);
    return map(
      {
        listen: listen(file),
        timeouts: timeouts(file),
        limits: unlessEmpty(map({ request_body: requestBody })),
        rate_limit: rateLimit(file),
        pools: map({ [POOL]: pool(file) }),
        routes: routeForAll({ plugins }),
        ...policy,
        ...admin(file),
        metrics: metrics(file),
        logging: map({
          level: value(file.get('logging.level').value, file.get('logging.level').at),
          format: value(file.get('logging.format').value, file.get('logging.format').at),
        }),
      },
      file.at,
    );
  },
});

function listen(file: File): Input {
  const port = file.get('server.port');
  const address = value(`0.0.0.0:${port.value}`, port.at);
  if (!file.get('server.tls.enabled').value) return series([map({ address })]);
  const [cert, key] = [file.get('server.tls.certFile'), file.get('server.tls.keyFile')];
  const pair = certificate(cert, key, file.placeOf('server.tls'), file.remarks);
  return series([map({ address, tls: map({ certificates: series([pair]) }) })]);
}

/** 0 means the default, as it does in Helios. */
function seconds(
  file: File,
  path: keyof typeof HELIOS_KEYS & `server.timeouts.${string}`,
): Input | undefined {
  const { value: given, at } = file.get(path);
  const count = given === 0 ? HELIOS_KEYS[path].fallback : given;
  return count === undefined ? undefined : value(duration(count * 1000), at);
}

function timeouts(file: File): Input {
  return map({
    request_header: seconds(file, 'server.timeouts.read'),
    body_idle: seconds(file, 'server.timeouts.write'),
    idle: seconds(file, 'server.timeouts.idle'),
    request: seconds(file, 'server.timeouts.handler'),
    shutdown: seconds(file, 'server.timeouts.shutdown'),
    connect: seconds(file, 'server.timeouts.backend_dial'),
    response: seconds(file, 'server.timeouts.backend_read'),
    backend_idle: seconds(file, 'server.timeouts.backend_idle'),
  });
}

function pool(file: File): Input {
  const strategy = file.get('load_balancer.strategy');
  return map(
    {
      strategy: value(strategy.value, strategy.at),
      backends: backends(file),
      ...FAILING_CLOSED,
      health: health(file),
      passive: passive(file),
      breaker: breaker(file),
    },
    file.placeOf('backends'),
  );
}

function backends(file: File): Input {
  const ids = new Ids();
  const items = file.items('backends').map((item) => {
    const [name, weight] = [item.get('backends[].name'), item.get('backends[].weight')];
    const url = backendUrl(item.get('backends[].address'), file.remarks);
    if (name.value === undefined) file.remarks.fault(name.path, item.at, 'a backend needs its name');
    if (url === undefined) file.remarks.fault('backends[].address', item.at, 'a backend needs its address');
    const id = ids.name({ ...name, value: name.value ?? 'unnamed' }, file.remarks);
    return map({ id, url, weight: value(weight.value || 1, weight.at) }, item.at);
  });
  if (items.length === 0) file.remarks.fault('backends', file.at, 'there are no backends');
  return series(items, file.placeOf('backends'));
}

function health(file: File): Input {
  const [enabled, path] = [file.get('health_checks.active.enabled'), file.get('health_checks.active.path')];
  if (!enabled.value) return map({ type: value('none', enabled.at) });
  const [interval, timeout] = [
    file.get('health_checks.active.interval'),
    file.get('health_checks.active.timeout'),
  ];
  return map({
    type: value('http', enabled.at),
    path: value(path.value, path.at),
    expect_status: values([200]),
    ...probeTimes(interval, timeout, 1000, file.remarks),
    fall: value(1),
    rise: value(1),
  });
}

function passive(file: File): Input {
  const enabled = file.get('health_checks.passive.enabled');
  if (!enabled.value) return map({ enabled: value(false, enabled.at) });
  const threshold = file.get('health_checks.passive.unhealthy_threshold');
  const timeout = file.get('health_checks.passive.unhealthy_timeout');
  return map({
    enabled: value(true, enabled.at),
    consecutive: value(threshold.value, threshold.at),
    eject_for: value(duration(timeout.value * 1000), timeout.at),
  });
}

function breaker(file: File): Input {
  const enabled = file.get('circuit_breaker.enabled');
  if (!enabled.value) return map({ enabled: value(false, enabled.at) });
  const [failures, window] = [
    file.get('circuit_breaker.failure_threshold'),
    file.get('circuit_breaker.interval_seconds'),
  ];
  const [openFor, trials] = [
    file.get('circuit_breaker.timeout_seconds'),
    file.get('circuit_breaker.max_requests'),
  ];
  const successes = file.get('circuit_breaker.success_threshold');
  return map({
    failures: value(failures.value, failures.at),
    window: value(duration(window.value * 1000), window.at),
    open_for: value(duration(openFor.value * 1000), openFor.at),
    half_open_requests: value(trials.value || 1, trials.at),
    successes: value(successes.value, successes.at),
  });
}

function rateLimit(file: File): Input | undefined {
  const enabled = file.get('rate_limit.enabled');
  if (!enabled.value) return undefined;
  const [burst, refill] = [file.get('rate_limit.max_tokens'), file.get('rate_limit.refill_rate_seconds')];
  return map({
    by: value('ip', enabled.at),
    rate: value(rate(1 / refill.value), refill.at),
    burst: value(burst.value, burst.at),
  });
}

/** The API of Helios where it was, and Usher's own beside it. */
function admin(file: File): Record<string, Input> {
  const enabled = file.get('admin_api.enabled');
  if (!enabled.value) return {};
  const [port, token] = [file.get('admin_api.port'), file.get('admin_api.auth_token')];
  const { value: secret = '', at } = token;
  const open = secret === '';
  const weakness = open ? 'without auth_token anybody could take over' : weaknessOf(secret);
  if (weakness !== undefined) {
    const message = `${weakness}; so the API is on 127.0.0.1 only`;
    file.remarks.changed('admin_api', open ? file.placeOf('admin_api') : at, message);
  }
  const host = weakness === undefined ? '0.0.0.0' : '127.0.0.1';
  const allowed = allowedNetworks(
    file.get('admin_api.ip_allow_list'),
    file.get('admin_api.ip_deny_list'),
    file.remarks,
  );
  const tokens = series([
    map({ name: value('helios', at), secret: value(secret, at), role: value('admin', at) }),
  ]);
  return {
    admin: map(
      { address: value(OWN_ADMIN), tokens: open ? undefined : tokens, allow: allowed },
      file.placeOf('admin_api'),
    ),
    helios: map({ address: value(`${host}:${port.value}`, port.at), pool: value(POOL) }),
  };
}

function metrics(file: File): Input {
  const [enabled, port, path] = [
    file.get('metrics.enabled'),
    file.get('metrics.port'),
    file.get('metrics.path'),
  ];
  if (!enabled.value) return value('none', enabled.at);
  return map({
    address: value(`0.0.0.0:${port.value}`, port.at),
    path: path.written ? value(path.value, path.at) : undefined,
  });
}

/** Of what has no equal only what is in use is worth a word. */
function remarkOnTheRest(file: File): void {
  const { remarks } = file;
  const pooling = file.get('load_balancer.websocket_pool.enabled');
  if (pooling.value)
    remarks.lost('load_balancer.websocket_pool', pooling.at, 'a WebSocket has its connection for itself');
  const caller = file.get('logging.include_caller');
  if (caller.value) remarks.lost(caller.path, caller.at, 'the log does not name lines of code');
  const header = file.get('logging.request_id.header');
  if (file.get('logging.request_id.enabled').value && header.value.toLowerCase() !== 'x-request-id')
    remarks.changed(header.path, header.at, 'the header is X-Request-Id');
  const trace = file.get('logging.trace.enabled');
  if (trace.value)
    remarks.lost('logging.trace', trace.at, 'a trace header of the client is passed on, but none is made');
}
