import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { CATALOGUE, type EventData, type EventType } from './catalogue.ts';
import { recogniserOf } from './recogniser.ts';

const pool: EventData<'pool.added'>['settings'] = {
  id: 'web',
  strategy: 'p2c',
  health: {
    type: 'http',
    path: '/healthz',
    expectStatus: [200],
    intervalMs: 5,
    timeoutMs: 2,
    fall: 3,
    rise: 2,
  },
  breaker: { enabled: true, failures: 5, windowMs: 1, openForMs: 1, halfOpenRequests: 3, successes: 2 },
  retry: { attempts: 1, budgetRatio: 0.2 },
  proxyProtocol: 'none',
  http2: false,
  drainMs: 30_000,
  agents: false,
};
const backend = { id: 'web-1', pool: 'web', url: 'http://10.0.0.1:3000', weight: 2, zone: 'a' };
const resources = { milliCpu: 1, memoryBytes: 2, storageBytes: 3, gpus: 0, gpuMemoryBytes: 0 };
const gpu = { percent: 5, memoryUsedBytes: 1, memoryTotalBytes: 2, temperatureC: -4.5, powerW: 250 };

/** Valid data of the types that fill a log, and of those with the most kinds of parts. */
const SAMPLES: { readonly [T in EventType]?: EventData<T> } = {
  'pool.added': { settings: pool, origin: 'config' },
  'backend.registered': { settings: backend, origin: 'command', health: 'unknown' },
  'backend.updated': { settings: { ...backend, weight: 0.5 } },
  'backend.became_unhealthy': { backend: 'web-1', cause: 'timeout' },
  'backend.latency_measured': { backend: 'web-1', latencyMs: 12.5 },
  'backend.stats_reported': {
    backend: 'web-1',
    stats: {
      atMs: 1,
      coresPercent: [0, 55.5, 100],
      memoryUsedBytes: 1,
      memoryTotalBytes: 2,
      diskUsedBytes: 3,
      diskTotalBytes: 4,
      gpus: [gpu],
    },
  },
  'gateway.observed': {
    gateway: 'gw-1',
    windowMs: 100,
    requests: 3,
    errors: 0,
    backends: [{ backend: 'web-1', requests: 3, failures: 1, latencySumMs: 12.5 }],
  },
  'breaker.opened': { backend: 'web-1', untilMs: 5, votes: ['gw-1', 'gw-2'] },
  'breaker.tripped': { backend: 'web-1', gateway: 'gw-1', failures: 5, requests: 9, untilMs: 4 },
  'allocation.reserved': { backend: 'b', allocation: 'a', owner: 'gw-1', resources, expiresAtMs: 3 },
  'allocation.released': { backend: 'b', allocation: 'a', cause: 'done', at: { pool: 'p', run: 5, step: 1 } },
  'checkpoint.written': { position: 5, digest: 'abc' },
  'admin.refused': {
    instance: 'gw-1',
    windowMs: 1000,
    count: 7,
    refusals: [{ cause: 'role', address: '10.0.0.1', who: 'viewer', count: 7 }],
  },
};
const samples = Object.entries(SAMPLES) as [EventType, unknown][];

/** Values at the borders of what schemas allow. */
const oddValue = fc.oneof(
  fc.constantFrom<unknown>(
    -1,
    0,
    0.5,
    101,
    2 ** 53,
    -0,
    null,
    '',
    ' ',
    'web 1',
    '-a',
    true,
    [],
    {},
    'p2c',
    'http',
  ),
  fc.constantFrom<unknown>('x'.repeat(64), 'x'.repeat(501), { __proto__: null }),
  fc.jsonValue(),
);

/** A copy of `value` in which one part, the `at`-th of all, is replaced, removed or given a stranger. */
function spoil(value: unknown, at: number, how: 'replace' | 'remove' | 'add', odd: unknown): unknown {
  let left = at;
  const visit = (part: unknown): unknown => {
    if (typeof part !== 'object' || part === null) return part;
    const copy: Record<string, unknown> = {};
    for (const [key, member] of Object.entries(part)) {
      const isIt = left-- === 0;
      if (isIt && how === 'remove') continue;
      if (isIt && how === 'add') copy[`${key}x`] = odd;
      copy[key] = isIt && how === 'replace' ? odd : visit(member);
    }
    return Array.isArray(part) ? Object.values(copy) : copy;
  };
  return visit(value);
}

describe('recogniser', () => {
  it.each(samples)('recognises valid data of %s', (type, data) => {
    expect(CATALOGUE[type].schema.safeParse(data).success).toBe(true);
    expect(recogniserOf(CATALOGUE[type].schema)(data)).toBe(true);
  });

  it.each(samples)('never recognises data of %s that the schema refuses or changes', (type, data) => {
    const { schema } = CATALOGUE[type];
    const recognises = recogniserOf(schema);
    const ways = fc.constantFrom('replace', 'remove', 'add');
    fc.assert(
      fc.property(fc.nat({ max: 25 }), ways, oddValue, (at, how, odd) => {
        const spoilt: unknown = JSON.parse(JSON.stringify(spoil(data, at, how, odd)));
        if (!recognises(spoilt)) return;
        const parsed = schema.safeParse(spoilt);
        expect(parsed.success).toBe(true);
        expect(parsed.data).toEqual(spoilt);
      }),
      { numRuns: 300 },
    );
  });

  it('leaves to the schema whatever it does not know, and what is wrong', () => {
    const unknownKinds: [z.ZodType, unknown][] = [
      [z.unknown(), 1],
      [z.string().trim(), ' a '],
      [z.string().min(3), 'abc'],
      [z.string().regex(/a/g), 'a'],
      [z.number().multipleOf(2), 3],
      [z.number().positive(), 0.5],
      [z.number().int().positive(), 0],
      [z.number().int().min(2).max(3), 1],
      [z.string().max(3).max(2), 'abc'],
      [z.string().regex(/a/).regex(/b/), 'a'],
      [z.array(z.number()).max(2).max(1), [1, 2]],
      [z.number().refine((value) => value > 5), 1],
      [z.object({ a: z.number() }), { a: 1, b: 2 }],
      [z.strictObject({ a: z.number().default(1) }), {}],
      [z.strictObject({ a: z.number().optional() }), []],
      [z.strictObject({ a: z.number() }).refine(() => false), { a: 1 }],
      [z.array(z.number()).min(1), []],
      [z.boolean().transform((value) => !value), true],
      [z.record(z.string(), z.number()), { a: 1 }],
      [z.string().nullable(), null],
    ];
    for (const [schema, value] of unknownKinds) expect(recogniserOf(schema)(value)).toBe(false);
  });
});
