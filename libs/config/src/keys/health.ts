import { type HealthCheck, PROBE_METHODS } from '@usher/domain';
import type { Reading } from '../reading.ts';
import { list, mapped, record } from '../types/collections.ts';
import { probePath } from '../types/names.ts';
import { oneOf, scalar, text, wholeNumber } from '../types/scalar.ts';
import { defaulted, optional, section } from '../types/section.ts';
import { type Refusal, refuse, type Type } from '../types/type.ts';
import { duration } from '../types/units.ts';

const HTTP_KEYS = ['path', 'method', 'headers', 'expect_status', 'expect_body'];
const GRPC_KEYS = ['service'];
const TIMING_KEYS = ['interval', 'down_interval', 'timeout', 'fall', 'rise'];
/** How much longer the interval may become for a backend that stays down, unless it is said. */
const DOWN_FACTOR = 3;
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

/** `204` is one status, `2xx` a hundred, `200-399` two hundred. */
const statuses: Type<readonly number[]> = scalar({
  expects: 'a status such as 204, 2xx or 200-399',
  jsonSchema: {
    anyOf: [
      { type: 'integer', minimum: STATUS_MIN, maximum: STATUS_MAX },
      { type: 'string', pattern: '^([1-5]xx|[1-5][0-9]{2}-[1-5][0-9]{2})$' },
    ],
  },
  standIn: [],
  parse({ text }) {
    if (/^[1-5]xx$/.test(text)) return statusRange(Number(text[0]) * 100, Number(text[0]) * 100 + 99);
    const range = /^([1-5][0-9]{2})-([1-5][0-9]{2})$/.exec(text);
    if (range !== null && Number(range[1]) <= Number(range[2]))
      return statusRange(Number(range[1]), Number(range[2]));
    const status = /^[0-9]{3}$/.test(text) ? Number(text) : 0;
    if (status >= STATUS_MIN && status <= STATUS_MAX) return [status];
    return refuse(
      'expected a status from 100 to 599, a class of them such as 2xx, or a range such as 200-399',
    );
  },
  write: ([status = 0]) => status,
});

/** What HTTP needs for itself, and what would say something of a body. */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

function parseHeaderName(written: string): string | Refusal {
  const name = written.toLowerCase();
  if (!/^[a-z0-9!#$%&'*+.^_`|~-]{1,100}$/.test(name))
    return refuse(`${JSON.stringify(written)} is not the name of a header`);
  return OWN_HEADERS.has(name) ? refuse('a probe sets this header itself, or has no use for it') : name;
}

const fieldValue: Type<string> = text({
  expects: 'the value of a header',
  jsonSchema: { pattern: '^[ -~]{1,1000}$' },
  standIn: '',
  parse: (written) =>
    /^[ -~]{1,1000}$/.test(written) ? written : refuse('up to 1000 characters of printable ASCII'),
});

const bodyText: Type<string> = text({
  expects: 'a text',
  jsonSchema: { minLength: 1, maxLength: 1000 },
  standIn: '',
  parse: (written) => (written.length <= 1000 ? written : refuse('longer than 1000 characters')),
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
  method: optional('`GET`', {
    to: 'method',
    type: oneOf(PROBE_METHODS),
    doc: 'Method of `http` probes. They have no body.',
  }),
  headers: optional('none beside Host, User-Agent and Accept', {
    to: 'headers',
    type: record(fieldValue, {
      name: '<header>',
      keyExpects: 'names of headers',
      keyPattern: /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/,
      parseKey: parseHeaderName,
    }),
    doc: 'Headers of `http` probes. A `host` takes the place of that of the URL.',
  }),
  expect_status: optional('`[2xx]`', {
    to: 'expectStatus',
    type: list(statuses, { min: 1 }),
    doc: 'Statuses with which an `http` probe succeeds.',
  }),
  expect_body: optional('any body', {
    to: 'expectBody',
    type: bodyText,
    doc: 'Text that the first 64 KiB of the body must contain for an `http` probe to succeed.',
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
  down_interval: optional('three times `interval`', {
    to: 'downIntervalMs',
    type: duration({ min: '100ms', max: '1h' }),
    doc: 'Up to which the interval grows for a backend that stays down, to a tenth of the time that it has been down. As long as nobody in the pool is healthy it does not grow.',
    why: 'Nothing is gained by asking one that is gone for good as often as the others; one that is back after a moment is noticed as soon as ever.',
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
export const health: Type<HealthCheck> = mapped(
  keys,
  (given, _path, reading): HealthCheck => {
    const { type, path, method, headers, expectStatus, expectBody, service, ...times } = given;
    const { intervalMs } = times;
    const timing = {
      ...times,
      timeoutMs: times.timeoutMs ?? Math.min(TIMEOUT_MS, intervalMs),
      downIntervalMs: times.downIntervalMs ?? DOWN_FACTOR * intervalMs,
    };
    checkUnused(given, reading);
    if (type !== 'none' && timing.timeoutMs > timing.intervalMs) {
      reading.complain(
        given,
        'timeout',
        `the timeout (${timing.timeoutMs}ms) is longer than the interval (${timing.intervalMs}ms)`,
      );
    }
    if (type !== 'none' && timing.downIntervalMs < intervalMs)
      reading.complain(given, 'down_interval', `shorter than the interval (${intervalMs}ms)`);
    if (method === 'HEAD' && expectBody !== undefined)
      reading.complain(given, 'expect_body', 'answers to HEAD have no body');
    if (type === 'none') return { type };
    if (type === 'tcp') return { type, ...timing };
    if (type === 'grpc') return { type, service: service ?? '', ...timing };
    return {
      type,
      path: path ?? '/',
      method: method ?? 'GET',
      headers: Object.fromEntries(Array.from(headers ?? [], ([name, value]) => [name.toLowerCase(), value])),
      expectStatus: distinct(expectStatus?.flat() ?? EVERY_2XX),
      ...(expectBody === undefined ? {} : { expectBody }),
      ...timing,
    };
  },
  taken,
);

function taken(check: HealthCheck) {
  if (check.type === 'grpc') return { ...check, service: check.service === '' ? undefined : check.service };
  if (check.type !== 'http') return check;
  const { headers, expectStatus, ...rest } = check;
  return {
    ...rest,
    ...(headers === undefined ? {} : { headers: new Map(Object.entries(headers)) }),
    expectStatus: expectStatus.map((status) => [status]),
  };
}

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
