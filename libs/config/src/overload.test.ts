import { expect, test } from 'vitest';
import { parseConfigText } from './load.ts';
import { faultsOf } from './testing/faults-of.ts';

const POOL = 'pools: { web: {} }\n';

test('rate limits have a rate, a burst as large as its number, and count for the fleet, unless told otherwise', () => {
  const { shared } = parseConfigText(
    `${POOL}rate_limit: { rate: 100/s }
routes:
  - { path: "/a/*", pool: web, rate_limit: { by: header, name: X-Key, rate: 5/10s, burst: 7, scope: local } }
  - { path: "/b/*", pool: web, rate_limit: none, priority: critical }
  - { path: "/c/*", pool: web, rate_limit: { by: route, rate: 30/m } }
  - { path: "/*", pool: web }`,
  );
  expect(shared.rateLimit).toStrictEqual({
    by: 'ip',
    requests: 100,
    perMs: 1000,
    burst: 100,
    scope: 'fleet',
  });
  expect(shared.routes.map(({ rateLimit, priority }) => [rateLimit, priority])).toStrictEqual([
    [{ by: 'header', name: 'x-key', requests: 5, perMs: 10_000, burst: 7, scope: 'local' }, 'normal'],
    ['none', 'critical'],
    [{ by: 'route', requests: 30, perMs: 60_000, burst: 30, scope: 'fleet' }, 'normal'],
    [undefined, 'normal'],
  ]);
});

test.each([
  ['rate_limit: { rate: 100 }', '"100" is not a rate such as 100/s, 30/m or 1000/h, did you mean "100/s"?'],
  ['rate_limit: { rate: 0/s }', '"0/s" is not a rate'],
  ['rate_limit: { rate: 2000000/s }', 'is above 1000000/s'],
  ['rate_limit: { rate: 1/48h }', 'is over more than 24h'],
  ['rate_limit: { by: header, rate: 1/s }', 'this needs name: which header?'],
  ['rate_limit: { by: ip, name: X, rate: 1/s }', 'has no meaning when by is ip'],
  ['rate_limit: {}', 'missing; expected a rate such as 100/s'],
  ['overload: { memory_soft: 95% }', 'is above memory_hard'],
  ['pools: { web: { adaptive_concurrency: { min: 9, max: 8 } } }', 'is above max'],
])('%s is refused', (text, message) => {
  expect(faultsOf(text).join('\n')).toContain(message);
});

test('what a process may take is what its surroundings have, unless it is written', () => {
  expect(parseConfigText('{}').local.overload.memoryBytes).toBeUndefined();
  expect(parseConfigText('overload: { memory: 512MiB }').local.overload.memoryBytes).toBe(512 * 2 ** 20);
});
