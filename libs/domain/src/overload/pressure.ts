/** How much a gateway has to do: 0 = no more than it can; 1 = what is sheddable goes; 2 = all goes but what is critical. */
export type PressureLevel = 0 | 1 | 2;

export interface PressureSettings {
  /** Shares of the memory that there is, 0..1; 0 = memory does not count. */
  readonly memorySoft: number;
  readonly memoryHard: number;
  /** How late the event loop has to be for the first level; 0 = it does not count. Four times that is the second. */
  readonly loopDelayMs: number;
}

/** What was measured at one instant. */
export interface PressureSample {
  readonly nowMs: number;
  /** Share of the memory in use. */
  readonly memory: number;
  /** How late the event loop was since the last sample. */
  readonly loopDelayMs: number;
}

/** One thing that is watched. */
interface Watch {
  readonly level: PressureLevel;
  /** Since when it speaks for a lower level; undefined = it does not. */
  readonly lowerSinceMs: number | undefined;
}

export interface Pressure {
  /** At its first level connections close after their answer, at the second none is accepted. */
  readonly memory: Watch;
  readonly delay: Watch;
  /** Lateness, smoothed: half of what it was, half of what it is. */
  readonly delayMs: number;
}

const CALM: Watch = { level: 0, lowerSinceMs: undefined };
export const NO_PRESSURE: Pressure = { memory: CALM, delay: CALM, delayMs: 0 };

/** The second level for lateness, in terms of the first. */
const HARD_DELAYS = 4;
/** A level is over when what led to it has been below this share of its mark … */
const RELEASE = 0.9;
/** … for so long. Then the next lower one has its turn. */
const RELEASE_MS = 2_000;

/**
 * One step. Levels rise at once and fall one at a time, so that what was turned away does not come back all at once and
 * bring them up again.
 */
export function nextPressure(before: Pressure, sample: PressureSample, settings: PressureSettings): Pressure {
  const { nowMs, memory, loopDelayMs } = sample;
  const delayMs = (before.delayMs + loopDelayMs) / 2;
  const { memorySoft, memoryHard, loopDelayMs: late } = settings;
  return {
    memory: watch(before.memory, memory, [memorySoft, memoryHard], nowMs),
    delay: watch(before.delay, delayMs, [late, late * HARD_DELAYS], nowMs),
    delayMs,
  };
}

export function pressureLevel({ memory, delay }: Pressure): PressureLevel {
  return memory.level > delay.level ? memory.level : delay.level;
}

type Marks = readonly [soft: number, hard: number];

function watch(before: Watch, value: number, [soft, hard]: Marks, nowMs: number): Watch {
  const { level } = before;
  const kept = (mark: number, from: PressureLevel) =>
    mark > 0 && value >= mark * (level >= from ? RELEASE : 1);
  const found = kept(hard, 2) ? 2 : kept(soft, 1) ? 1 : 0;
  if (found >= level) return { level: found, lowerSinceMs: undefined };
  const lowerSinceMs = before.lowerSinceMs ?? nowMs;
  if (nowMs - lowerSinceMs < RELEASE_MS) return { level, lowerSinceMs };
  const lower: PressureLevel = level === 2 ? 1 : 0;
  return { level: lower, lowerSinceMs: found === lower ? undefined : nowMs };
}

/** From how much of a pool's line is taken, and until it is no more than that, some requests do not join it. */
const LINE_MARKS: Readonly<Record<1 | 2, readonly [from: number, until: number]>> = {
  1: [0.5, 0.25],
  2: [0.9, 0.75],
};

/** The level for one pool whose requests wait for room: `taken` is the share of the places in its line that is. */
export function linePressure(present: PressureLevel, taken: number): PressureLevel {
  const reached = (level: 1 | 2): boolean => {
    const [from, until] = LINE_MARKS[level];
    return taken >= from || (present >= level && taken > until);
  };
  if (reached(2)) return 2;
  return reached(1) ? 1 : 0;
}
