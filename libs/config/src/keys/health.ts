import type { HealthCheck } from '@usher/domain';
import type { Reading } from '../reading.ts';
import { list, mapped } from '../types/collections.ts';
import { probePath } from '../types/names.ts';
import { oneOf, scalar, text, wholeNumber } from '../types/scalar.ts';
import { defaulted, optional, section } from '../types/section.ts';
import { refuse, type Type } from '../types/type.ts';
import { duration } from '../types/units.ts';

const HTTP_KEYS = ['path', 'expect_status'];
const GRPC_KEYS = ['service'];
const TIMING_KEYS = ['interval', 'timeout', 'fall', 'rise'];
/** What has no meaning for each kind of probe. */
const UNUSED: Readonly<Record<HealthCheck['type'], readonly string[]>> = {
  http: GRPC_KEYS,
  grpc: HTTP_KEYS,
  tcp: [...HTTP_KEYS, ...GRPC_KEYS],
  none: [...HTTP_KEYS, ...GRPC_KEYS, ...TIMING_KEYS],
};
const STATUS_MIN = 100;
const STATUS_MAX = 599;
/** How long a probe may take unless it is said. */
const TIMEOUT_MS = 2000;
const EVERY_2XX = statusRange(200, 299);

/** `204` is one status, `2xx` a hundred. */
const statuses: Type<readonly number[]> = scalar({
  expects: 'a status such as 204, or 2xx',
  jsonSchema: {
    anyOf: [
      { type: 'integer', minimum: STATUS_MIN, maximum: STATUS_MAX },
      { type: 'string', pattern: '^[1-5]xx$' },
    ],
  },
  standIn: [],
  parse({ text }) {
    if (/^[1-5]xx$/.test(text)) return statusRange(Number(text[0]) * 100, Number(text[0]) * 100 + 99);
    const status = /^[0-9]{3}$/.test(text) ? Number(text) : 0;
    if (status >= STATUS_MIN && status <= STATUS_MAX) return [status];
    return refuse('expected a status from 100 to 599, or a class of them such as 2xx');
  },
});

const serviceName: Type<string> = text({
  expects: 'the name of a service such as shop.Orders',
  jsonSchema: { pattern: '^[\\x21-\\x7e]{1,200}$' },
  standIn: '',
  parse: (written) =>
    /^[\x21-\x7e]{1,200}$/.test(written)
      ? written
      : refuse('expected the name of a service such as shop.Orders'),
});

const keys = section({
  type: defaulted('tcp', {
    to: 'type',
    type: oneOf(['none', 'tcp', 'http', 'grpc']),
    doc: '`tcp` only connects; `http` asks for `path` and looks at the status; `grpc` asks by `grpc.health.v1` whether `service` serves; `none` takes every backend for healthy.',
    why: 'Connecting asks nothing of a backend that it does not do for every request anyway; which path tells its health only its owner knows.',
  }),
  path: optional('`/`', {
    to: 'path',
    type: probePath,
    doc: 'Path, and query if needed, that `http` probes ask for.',
  }),
  expect_status: optional('`[2xx]`', {
    to: 'expectStatus',
    type: list(statuses, { min: 1 }),
    doc: 'Statuses with which an `http` probe succeeds.',
  }),
  service: optional('the server as a whole', {
    to: 'service',
    type: serviceName,
    doc: 'Name of the service that `grpc` probes ask for.',
  }),
  interval: defaulted('5s', {
    to: 'intervalMs',
    type: duration({ min: '100ms', max: '1h' }),
    doc: 'Time from the start of one probe to the start of the next.',
  }),
  timeout: optional('`2s`, or `interval` where that is shorter', {
    to: 'timeoutMs',
    type: duration({ min: '10ms', max: '1h' }),
    doc: 'How long a probe may take, at most `interval`.',
    why: 'Probes of a backend never overlap.',
  }),
  fall: defaulted(3, {
    to: 'fall',
    type: wholeNumber({ min: 1, max: 100 }),
    doc: 'Failures in a row that make a backend unhealthy.',
    why: 'One lost packet is not an outage.',
  }),
  rise: defaulted(2, {
    to: 'rise',
    type: wholeNumber({ min: 1, max: 100 }),
    doc: 'Successes in a row that make a backend healthy again.',
  }),
});

/** How the backends of a pool are probed. */
export const health: Type<HealthCheck> = mapped(keys, (given, _path, reading): HealthCheck => {
  const { type, path, expectStatus, service, timeoutMs, ...others } = given;
  const timing = { ...others, timeoutMs: timeoutMs ?? Math.min(TIMEOUT_MS, others.intervalMs) };
  checkUnused(given, reading);
  if (type !== 'none' && timing.timeoutMs > timing.intervalMs) {
    reading.complain(
      given,
      'timeout',
      `the timeout (${timing.timeoutMs}ms) is longer than the interval (${timing.intervalMs}ms)`,
    );
  }
  if (type === 'none') return { type };
  if (type === 'tcp') return { type, ...timing };
  if (type === 'grpc') return { type, service: service ?? '', ...timing };
  return { type, path: path ?? '/', expectStatus: distinct(expectStatus?.flat() ?? EVERY_2XX), ...timing };
});

/** A key that this kind of probe does not use was written in the belief that it does something. */
function checkUnused(given: { readonly type: HealthCheck['type'] }, reading: Reading): void {
  for (const key of UNUSED[given.type].filter((name) => reading.isWritten(given, name))) {
    reading.complain(given, key, `has no meaning when type is ${given.type}`);
  }
}

function statusRange(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

function distinct(statuses: readonly number[]): number[] {
  return [...new Set(statuses)].toSorted((a, b) => a - b);
}
