import { describe, expect, test } from 'vitest';
import type { BackendStats, Resources } from '../backend.ts';
import { fit } from './fit.ts';
import { machineOf, type ResourceBackend } from './machine.ts';
import { reservable } from './reservable.ts';
import { baseScore, DEFAULT_SCORING, scoreParts } from './score.ts';
import { NO_RESOURCES } from './tier.ts';

const GIB = 2 ** 30;
const gpu = (percent: number, usedGib: number, totalGib = 24) => ({
  percent,
  memoryUsedBytes: usedGib * GIB,
  memoryTotalBytes: totalGib * GIB,
  temperatureC: 50,
  powerW: 100,
});
const stats: BackendStats = {
  atMs: 0,
  coresPercent: [90, 10, 80, 30],
  memoryUsedBytes: 24 * GIB,
  memoryTotalBytes: 32 * GIB,
  diskUsedBytes: 90 * GIB,
  diskTotalBytes: 100 * GIB,
  gpus: [gpu(50, 20), gpu(10, 4)],
};
const backend: ResourceBackend = {
  id: 'b1',
  weight: 1,
  barred: 'ok',
  latencyMs: 12,
  stats,
  stale: false,
  reserved: NO_RESOURCES,
  unreported: NO_RESOURCES,
};
type Parts = Partial<Omit<ResourceBackend, 'unreported' | 'stats' | 'reserved'>> & {
  stats?: Partial<BackendStats> | null;
  unreported?: Partial<Resources>;
  reserved?: Partial<Resources>;
};
function made({ stats: some, unreported, reserved, ...others }: Parts): ResourceBackend {
  return {
    ...backend,
    ...others,
    stats: some === null ? null : { ...stats, ...some },
    unreported: { ...NO_RESOURCES, ...unreported },
    reserved: { ...NO_RESOURCES, ...reserved },
  };
}
const tier = (need: Partial<Resources>) => ({ name: 't', resources: { ...NO_RESOURCES, ...need } });
const fits = (parts: Parts, need: Partial<Resources>) => {
  const one = made(parts);
  return fit(one, machineOf(one), tier(need));
};
const score = (parts: Parts, need: Partial<Resources>) =>
  scoreParts(machineOf(made(parts)), backend.latencyMs, tier(need), DEFAULT_SCORING);

describe('what a backend can take', () => {
  test.each<[string, Parts, Partial<Resources>, ReturnType<typeof fit>]>([
    ['as many cores as are below 80 %', {}, { milliCpu: 2000 }, { reason: 'ok' }],
    [
      'no more than those',
      {},
      { milliCpu: 3000 },
      { reason: 'cpu', short: { dimension: 'milliCpu', needed: 3000, free: 2000 } },
    ],
    ['all of its free memory', {}, { memoryBytes: 8 * GIB }, { reason: 'ok' }],
    [
      'no byte more',
      {},
      { memoryBytes: 8 * GIB + 1 },
      { reason: 'memory', short: { dimension: 'memoryBytes', needed: 8 * GIB + 1, free: 8 * GIB } },
    ],
    [
      'no more than its free disk',
      {},
      { storageBytes: 11 * GIB },
      { reason: 'storage', short: { dimension: 'storageBytes', needed: 11 * GIB, free: 10 * GIB } },
    ],
    ['one card with enough memory', {}, { gpus: 1, gpuMemoryBytes: 20 * GIB }, { reason: 'ok' }],
    [
      'not two cards of which only one has enough memory',
      {},
      { gpus: 2, gpuMemoryBytes: 24 * GIB },
      { reason: 'gpu_memory', short: { dimension: 'gpuMemoryBytes', needed: 12 * GIB, free: 4 * GIB } },
    ],
    [
      'not three cards of two',
      {},
      { gpus: 3 },
      { reason: 'gpus', short: { dimension: 'gpus', needed: 3, free: 2 } },
    ],
    [
      'not what an allocation takes that its report does not show yet',
      { unreported: { milliCpu: 1000, memoryBytes: 6 * GIB } },
      { milliCpu: 1000, memoryBytes: 4 * GIB },
      { reason: 'memory', short: { dimension: 'memoryBytes', needed: 4 * GIB, free: 2 * GIB } },
    ],
    [
      'not a card that is reserved and still looks free',
      { unreported: { gpus: 1 } },
      { gpus: 1, gpuMemoryBytes: 16 * GIB },
      { reason: 'gpu_memory', short: { dimension: 'gpuMemoryBytes', needed: 16 * GIB, free: 20 * GIB } },
    ],
    [
      'what was given back since its report, a part of a busy core as a whole one',
      { stats: { coresPercent: [100, 100] }, unreported: { milliCpu: -300 } },
      { milliCpu: 1000 },
      { reason: 'ok' },
    ],
    [
      'never more than it has, whatever was given back',
      { unreported: { milliCpu: -64_000 } },
      { milliCpu: 5000 },
      { reason: 'cpu', short: { dimension: 'milliCpu', needed: 5000, free: 4000 } },
    ],
    [
      'what needs nothing, even without any total',
      { stats: { coresPercent: [], memoryTotalBytes: 0 } },
      {},
      { reason: 'ok' },
    ],
    [
      'nothing of what it has a total of zero',
      { stats: { memoryTotalBytes: 0, memoryUsedBytes: 0 } },
      { memoryBytes: 1 },
      { reason: 'memory', short: { dimension: 'memoryBytes', needed: 1, free: 0 } },
    ],
    ['nothing before its first report', { stats: null }, { milliCpu: 1 }, { reason: 'no_report' }],
    ['what needs nothing, before its first report', { stats: null }, {}, { reason: 'ok' }],
    ['nothing by an old report', { stale: true }, { milliCpu: 1 }, { reason: 'stale_report' }],
    [
      'what was declared, where nothing is reported',
      { stats: null, capacity: { ...NO_RESOURCES, milliCpu: 2000 }, reserved: { milliCpu: 1000 } },
      { milliCpu: 1000 },
      { reason: 'ok' },
    ],
    [
      'no more than reservations leave of what was declared, however idle it is',
      { capacity: { ...NO_RESOURCES, milliCpu: 2000 }, reserved: { milliCpu: 1500 } },
      { milliCpu: 1000 },
      { reason: 'reserved', short: { dimension: 'milliCpu', needed: 1000, free: 500 } },
    ],
    ['nothing at weight 0', { weight: 0 }, {}, { reason: 'weight' }],
    ['nothing while its regions say no', { barred: 'breaker_open' }, {}, { reason: 'breaker_open' }],
  ])('%s', (_name, parts, need, expected) => {
    expect(fits(parts, need)).toEqual(expected);
  });
});

describe('the score', () => {
  test('is the mean of the least loaded cores, the memory, 1.5 times the GPUs and the latency', () => {
    const parts = score({}, { milliCpu: 2000, gpus: 1 });
    expect(parts).toEqual({ cpu: 20, memory: 75, gpu: 45, latency: 12 });
    expect(baseScore(parts)).toBe(152);
  });

  test('leaves GPUs out for tiers without any', () => {
    expect(score({}, { milliCpu: 1000 }).gpu).toBe(0);
  });

  test('measures a tier that needs no core, or more than there are, by all of them', () => {
    expect(score({}, {}).cpu).toBe(52.5);
    expect(score({}, { milliCpu: 64_000 }).cpu).toBe(52.5);
    expect(score({}, { milliCpu: 500 }).cpu).toBe(10);
  });

  test('counts what is reserved but not reported yet', () => {
    const before = score({}, { milliCpu: 1000 });
    const after = score({ unreported: { milliCpu: 1000, memoryBytes: 4 * GIB } }, { milliCpu: 1000 });
    expect(before).toMatchObject({ cpu: 10, memory: 75 });
    expect(after).toMatchObject({ cpu: 30, memory: 87.5 });
    expect(score({ unreported: { milliCpu: 500 } }, { milliCpu: 1000 }).cpu).toBe(20);
    expect(score({ unreported: { milliCpu: 9000 } }, { milliCpu: 1000 }).cpu).toBe(100);
  });

  test('takes what has no total for full, and is always a number', () => {
    const parts = score({ stats: { coresPercent: [], memoryTotalBytes: 0, gpus: [] } }, { gpus: 1 });
    expect(parts).toEqual({ cpu: 100, memory: 100, gpu: 150, latency: 12 });
    expect(score({ stats: null }, { milliCpu: 1000 })).toMatchObject({ cpu: 100, memory: 100 });
  });
});

describe('what reservations may fill', () => {
  const need = tier({ milliCpu: 1000, gpus: 1, gpuMemoryBytes: 16 * GIB });

  test('is what is reserved and what is free, and never more than what was declared', () => {
    const one = made({ reserved: { milliCpu: 1000 }, unreported: { milliCpu: 1000 } });
    expect(reservable(one, need)).toEqual({
      milliCpu: 2000,
      memoryBytes: 8 * GIB,
      storageBytes: 10 * GIB,
      gpus: 1,
      gpuMemoryBytes: 24 * GIB,
    });
    const capacity = { ...NO_RESOURCES, milliCpu: 1500, memoryBytes: 64 * GIB };
    expect(reservable({ ...one, capacity }, need)).toEqual({
      ...NO_RESOURCES,
      milliCpu: 1500,
      memoryBytes: 8 * GIB,
    });
  });

  test('does not change by reserving', () => {
    const after = made({ reserved: { milliCpu: 1000 }, unreported: { milliCpu: 1000 } });
    expect(reservable(after, need).milliCpu).toBe(reservable(backend, need).milliCpu);
  });

  test('is what was declared where nothing is reported, and nothing where a report is too old', () => {
    const capacity = { ...NO_RESOURCES, milliCpu: 1500 };
    expect(reservable(made({ stats: null, capacity }), need)).toEqual(capacity);
    expect(reservable(made({ stats: null }), need)).toEqual(NO_RESOURCES);
    expect(reservable(made({ stale: true, capacity }), need)).toEqual(NO_RESOURCES);
  });
});
