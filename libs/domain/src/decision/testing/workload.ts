import type { Place } from '../../resource/place.ts';
import type { ResourceBackend } from '../../resource/machine.ts';
import { ResourceTable } from '../../resource/resource-table.ts';
import { DEFAULT_SCORING } from '../../resource/score.ts';
import { NO_RESOURCES, type Tier } from '../../resource/tier.ts';
import { type Answer, type Uniform } from '../../strategies/strategy.ts';
import { backend, type TestBackend, TestPool, uniform } from '../../strategies/testing/pools.ts';
import { recordPick, recordResourceChoice } from '../record.ts';
import type { RecordedDecision, RecordedPick } from '../recorded-decision.ts';

const GIB = 2 ** 30;
const TIERS: readonly Tier[] = [
  { name: 'small', resources: { ...NO_RESOURCES, milliCpu: 1_000, memoryBytes: GIB } },
  { name: 'gpu', resources: { ...NO_RESOURCES, milliCpu: 2_000, gpus: 1, gpuMemoryBytes: 8 * GIB } },
];
const ANSWERS: readonly Answer[] = ['answered', 'answered', 'answered', 'refused', 'left'];

/** What a strategy decides, recorded, while everything that it goes by keeps changing. */
export function recordedPicks(
  strategy: RecordedPick['strategy'],
  decisions: number,
  seed: number,
): RecordedDecision[] {
  const chance = uniform(seed);
  const below = (limit: number): number => Math.floor(chance.next() * limit);
  const backends = Array.from({ length: 1 + below(12) }, (_, index) =>
    backend(`b-${index}`, 1 + below(5) + below(2) / 3, below(3)),
  );
  const pool = new TestPool(strategy, backends, seed);
  const random = uniform(seed + 1);
  return Array.from({ length: decisions }, (_, step) => {
    if (below(30) === 0) changeWho(pool, backends, chance);
    const tried = backends.filter(() => below(12) === 0);
    const record = recordPick(strategy, pool.pool, tried, { key: below(2 ** 32), random });
    const chosen = backends.find(({ id }) => id === record.chosen);
    if (chosen !== undefined) pool.load(chosen, 1);
    for (const each of backends) {
      if (each.own === 0 || below(3) !== 0) continue;
      pool.pool.chooser.heard?.(each, ANSWERS[below(ANSWERS.length)]!, below(400), 1_000 + 20 * step);
      pool.load(each, -1);
    }
    const other = backends[below(backends.length)]!;
    pool.estimate(other, below(4));
    return record;
  });
}

/** Some become eligible and some cease to be, and one is in its slow start. */
function changeWho(pool: TestPool, backends: readonly TestBackend[], chance: Uniform): void {
  for (const each of backends) each.weight = each.fullWeight * (chance.next() < 0.2 ? chance.next() : 1);
  pool.set(
    backends,
    backends.filter(() => chance.next() < 0.8),
  );
}

/** What is chosen by resources, recorded, while reports come. */
export function recordedResourceChoices(decisions: number, seed: number): RecordedDecision[] {
  const chance = uniform(seed);
  const table = new ResourceTable(TIERS, DEFAULT_SCORING);
  table.reset(
    Array.from({ length: 1 + Math.floor(chance.next() * 20) }, (_, row) => machine(`b-${row}`, chance)),
  );
  return Array.from({ length: decisions }, () => {
    const row = Math.floor(chance.next() * table.rows.length);
    table.update(row, machine(`b-${row}`, chance));
    const tried = table.rows.filter(() => chance.next() < 0.1).map(({ id }) => id);
    const tier = TIERS[Math.floor(chance.next() * TIERS.length)]!.name;
    const known = chance.next() < 0.8 ? { from: somewhere(chance) } : {};
    return recordResourceChoice(table, { tier, ...known, chance: chance.next(), tried });
  });
}

function machine(id: string, chance: Uniform): ResourceBackend {
  const cards = Math.floor(chance.next() * 3);
  return {
    id,
    weight: chance.next() < 0.1 ? 0 : 1 + chance.next(),
    barred: chance.next() < 0.1 ? 'unhealthy' : 'ok',
    ...(chance.next() < 0.7 ? { place: somewhere(chance) } : {}),
    latencyMs: 50 * chance.next(),
    stats:
      chance.next() < 0.1
        ? null
        : {
            atMs: 1,
            coresPercent: Array.from({ length: 8 }, () => 100 * chance.next()),
            memoryUsedBytes: Math.floor(32 * GIB * chance.next()),
            memoryTotalBytes: 32 * GIB,
            diskUsedBytes: GIB,
            diskTotalBytes: 100 * GIB,
            gpus: Array.from({ length: cards }, () => ({
              percent: 100 * chance.next(),
              memoryUsedBytes: Math.floor(24 * GIB * chance.next()),
              memoryTotalBytes: 24 * GIB,
              temperatureC: 60,
              powerW: 250,
            })),
          },
    stale: false,
    capacity: { ...NO_RESOURCES, milliCpu: 8_000, memoryBytes: 32 * GIB },
    reserved: { ...NO_RESOURCES, milliCpu: 1_000 },
    unreported: { ...NO_RESOURCES, milliCpu: Math.floor(2_000 * chance.next()) },
  };
}

function somewhere(chance: Uniform): Place {
  return { latitude: 180 * chance.next() - 90, longitude: 360 * chance.next() - 180 };
}
