import type { ResourceFacts } from '../../resource/machine.ts';
import { onSphere, type SpherePoint } from '../../resource/place.ts';
import { DEFAULT_SCORING } from '../../resource/score.ts';
import { NO_RESOURCES, type Tier } from '../../resource/tier.ts';
import type { BuiltInStrategy } from '../../settings.ts';
import { type Answer, setCandidates, type Uniform } from '../../strategies/strategy.ts';
import { backend, type TestBackend, TestPool, uniform } from '../../strategies/testing/pools.ts';
import { recordDecision } from '../record-decision.ts';
import type { RecordedDecision } from '../recorded-decision.ts';

const GIB = 2 ** 30;
const TIERS: readonly Tier[] = [
  { name: 'small', resources: { ...NO_RESOURCES, milliCpu: 1_000, memoryBytes: GIB } },
  { name: 'gpu', resources: { ...NO_RESOURCES, milliCpu: 2_000, gpus: 1, gpuMemoryBytes: 8 * GIB } },
];
const SETTINGS = { tiers: TIERS, scoring: DEFAULT_SCORING };
const ANSWERS: readonly Answer[] = ['answered', 'answered', 'answered', 'refused', 'left'];

/** What a strategy decides, recorded, while everything that it goes by keeps changing. */
export function recordedDecisions(
  strategy: BuiltInStrategy,
  decisions: number,
  seed: number,
): RecordedDecision[] {
  const chance = uniform(seed);
  const below = (limit: number): number => Math.floor(chance.next() * limit);
  const backends = Array.from({ length: 1 + below(12) }, (_, index) =>
    backend(`b-${seed}-${index}`, 1 + below(5) + below(2) / 3, below(3)),
  );
  const pool = new TestPool(strategy, backends, seed, SETTINGS);
  const by = strategy === 'resource' ? { strategy, settings: SETTINGS } : { strategy };
  const random = uniform(seed + 1);
  return Array.from({ length: decisions }, (_, step) => {
    if (below(30) === 0) changeWho(pool, backends, chance);
    const tried = backends.filter(() => below(12) === 0);
    const features = { key: below(2 ** 32), tier: below(TIERS.length), from: somewhere(chance) };
    const record = recordDecision(by, pool.pool, tried, features, random);
    const chosen = backends.find(({ id }) => id === record.chosen);
    if (chosen !== undefined) pool.load(chosen, 1);
    for (const each of backends) {
      if (each.own === 0 || below(3) !== 0) continue;
      pool.pool.chooser.heard?.(each, ANSWERS[below(ANSWERS.length)]!, below(400), 1_000 + 20 * step);
      pool.load(each, -1);
    }
    pool.estimate(backends[below(backends.length)]!, below(4));
    const told = backends[below(backends.length)]!;
    told.facts = factsBy(chance);
    pool.pool.chooser.learned?.(told);
    return record;
  });
}

/** Some become eligible and some cease to be, and some are in their slow starts. */
function changeWho({ pool }: TestPool, backends: readonly TestBackend[], chance: Uniform): void {
  for (const each of backends) each.weight = each.fullWeight * (chance.next() < 0.2 ? chance.next() : 1);
  const eligible = backends.filter(() => chance.next() < 0.8);
  setCandidates(pool, backends, eligible);
}

function factsBy(chance: Uniform): ResourceFacts {
  const cards = Math.floor(chance.next() * 3);
  return {
    place: { latitude: 180 * chance.next() - 90, longitude: 360 * chance.next() - 180 },
    latencyMs: 50 * chance.next(),
    stats:
      chance.next() < 0.2
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

function somewhere(chance: Uniform): SpherePoint | undefined {
  if (chance.next() < 0.2) return undefined;
  return onSphere({ latitude: 180 * chance.next() - 90, longitude: 360 * chance.next() - 180 });
}
