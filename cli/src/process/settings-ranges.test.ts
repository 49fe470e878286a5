import { parseConfigText } from '@usher/config';
import type { Problem } from '@usher/domain';
import { EVERY_SHARED_KEY } from '@usher/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestFleet } from './test-fleet.ts';

const { shared } = parseConfigText(EVERY_SHARED_KEY, {
  disk: { isFile: () => true, readBytes: () => Buffer.from('') },
  env: { COOKIE_KEY: 'q7Wm2Zx9Lk4Rt6Vb8Np1Ys3' },
});
/** More than any setting may be. */
const MUCH = 2 ** 53 - 1;
/** What a command may not bring in is refused for that. */
const OF_FILES = new Set(['targets', 'strategyFile', 'tls', 'discovery', 'sticky', 'plugins']);

/** By its key in a file; what the form of a command rules out already, by its name there. */
const IN_FILE = /^(pools\.web|routes\.n|backends\.n|limits|timeouts)\.[\w.[\]]+: \S/;

let fleet: TestFleet;
beforeAll(async () => {
  fleet = await TestFleet.start();
});
afterAll(async () => await fleet.stop());

/** A value once for each number in it, with that too large; and where that is. */
function exceeded(
  value: unknown,
  path: readonly string[] = [],
): { path: readonly string[]; value: unknown }[] {
  if (typeof value === 'number') return [{ path, value: MUCH }];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    exceeded(inner, [...path, name]).map((each) => {
      const copy = Array.isArray(value)
        ? value.with(Number(name), each.value)
        : { ...value, [name]: each.value };
      return { path: each.path, value: copy as unknown };
    }),
  );
}

const [web] = shared.pools;
const settable = Object.entries({ ...web }).filter(([name]) => !OF_FILES.has(name) && name !== 'id');
const ROWS = [
  ...settable.flatMap(([name, value]) =>
    exceeded(value, [name]).map(
      (each) => ['PATCH', '/v1/pools/web', each.path, { [name]: each.value }] as const,
    ),
  ),
  ...shared.routes.flatMap(({ id: _id, path: _path, pool: _pool, host: _host, tier, ...route }) =>
    Object.entries({ ...route, ...(tier === undefined ? {} : { tier: { ...tier, default: undefined } }) })
      .filter(([name]) => !OF_FILES.has(name))
      .flatMap(([name, value]) =>
        exceeded(value, [name]).map(
          (each) =>
            [
              'POST',
              '/v1/routes',
              each.path,
              { id: 'n', path: '/n', pool: 'web', [name]: each.value },
            ] as const,
        ),
      ),
  ),
  ...exceeded(shared.limits).map((each) => ['PATCH', '/v1/limits', each.path, each.value] as const),
  ...exceeded({ ...shared.backends[0], id: 'n', capacity: undefined }).map(
    (each) => ['POST', '/v1/backends', each.path, each.value] as const,
  ),
  ...exceeded(shared.timeouts, ['timeouts']).map(
    (each) => ['PUT', '/v1/config', each.path, each.value] as const,
  ),
];

test('a number that is too large for its setting is refused by name, whatever command brings it', async () => {
  const { body: before } = await fleet.ask<{ config: object }>('GET', '/v1/config');
  expect(ROWS.length).toBeGreaterThan(70);
  for (const [method, url, path, value] of ROWS) {
    const what = `${method} ${url} ${path.join('.')}`;
    const body = method === 'PUT' ? { ...before.config, timeouts: value } : value;
    const { status, body: problem } = await fleet.ask<Problem>(method, url, body);
    expect([what, status, problem.code]).toEqual([what, 400, 'invalid_input']);
    const { detail = '' } = problem;
    const named = IN_FILE.test(detail) || detail.replace(/^settings\./, '').startsWith(`${path.join('.')}: `);
    expect([what, detail, named]).toEqual([what, detail, true]);
  }
  expect((await fleet.ask('GET', '/v1/config')).body).toEqual(before);
});
