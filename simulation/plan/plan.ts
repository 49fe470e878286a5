import type { Wish } from '../fleet/operator.ts';
import { drawSettings, type FleetSettings } from '../fleet/settings.ts';
import type { ServiceName } from '../mutations/tampering.ts';
import { type Condition, urlOf } from '../parts/backends.ts';
import type { Chance } from '../world/chance.ts';

/** How long faults strike: the longer, the more there are. */
const UNREST_MIN_MS = 10_000;
const UNREST_STEP_MS = 800;
/** How often the store forgets everything while a gateway cannot tell it what it holds, which seldom meet by themselves. */
const FORGETTING = 0.2;
/** Before the first fault the fleet gets this long to start. */
const CALM_MS = 3_000;
const STEPS_MIN = 6;
const STEPS_MAX = 26;
const SERVERS = ['nats', 'redis'] as const;
const NEW_BACKEND = 'b9';
const CONDITIONS = ['refusing', 'hanging', 'failing', 'failing', 'slow'] as const;

/** Something that happens to the fleet. */
type Happening =
  | { readonly kind: 'wish'; readonly wish: Wish }
  | { readonly kind: 'file'; readonly version: number }
  | { readonly kind: 'crash' | 'terminate'; readonly who: string; readonly ms: number }
  | { readonly kind: 'freeze'; readonly who: string; readonly ms: number }
  | {
      readonly kind: 'cut';
      readonly from: string;
      readonly to: string;
      readonly both: boolean;
      readonly ms: number;
    }
  | {
      readonly kind: 'slow';
      readonly from: string;
      readonly to: string;
      readonly byMs: number;
      readonly ms: number;
    }
  | { readonly kind: 'stall'; readonly byMs: number; readonly ms: number }
  | { readonly kind: 'clock'; readonly who: string; readonly byMs: number }
  | { readonly kind: 'backend'; readonly who: string; readonly condition: Condition; readonly ms: number }
  | { readonly kind: 'worker'; readonly who: string }
  | { readonly kind: 'lossy' | 'twice'; readonly share: number; readonly ms: number }
  | { readonly kind: 'sluggish'; readonly who: string; readonly byMs: number; readonly ms: number };

export interface Step {
  readonly id: number;
  readonly atMs: number;
  readonly happening: Happening;
}

type Drawn = Omit<Step, 'id'>;

/** Everything about a run that is decided before it begins. */
export interface Plan {
  readonly settings: FleetSettings;
  readonly processes: ReadonlyMap<string, readonly ServiceName[]>;
  readonly requestsPerSecond: number;
  /** When no more faults strike. */
  readonly unrestMs: number;
  readonly steps: readonly Step[];
}

export function drawPlan(chance: Chance): Plan {
  const settings = drawSettings(chance.fork('settings'));
  const processes = drawProcesses(chance.fork('processes'));
  const count = STEPS_MIN + chance.fork('count').below(STEPS_MAX - STEPS_MIN);
  const unrestMs = UNREST_MIN_MS + UNREST_STEP_MS * count;
  const names = [...processes.keys()];
  const drawn = [
    ...drawSteps(chance.fork('steps'), settings, names, count, unrestMs),
    ...drawForgetting(chance.fork('forgetting'), names, unrestMs),
  ];
  const steps = drawn
    .toSorted((a, b) => a.atMs - b.atMs)
    .map(({ atMs, happening }, id) => ({ id, atMs, happening }));
  return { settings, processes, requestsPerSecond: chance.fork('traffic').between(3, 15), unrestMs, steps };
}

function drawProcesses(chance: Chance): Map<string, readonly ServiceName[]> {
  const processes = new Map<string, readonly ServiceName[]>();
  if (chance.happens(0.5)) {
    processes.set('p1', ['scheduler', 'health', 'collector']);
    processes.set('p2', ['scheduler', 'health', 'collector']);
  } else {
    processes.set('s1', ['scheduler']);
    processes.set('s2', ['scheduler']);
    processes.set('h1', ['health']);
    if (chance.happens(0.5)) processes.set('h2', ['health']);
    processes.set('c1', ['collector']);
  }
  const gateways = 1 + chance.below(3);
  for (let number = 1; number <= gateways; number++) processes.set(`g${number}`, ['gateway']);
  return processes;
}

/** How often each kind of thing happens; a run leaves some out and overdoes others. */
const SHARES: Readonly<Record<Happening['kind'], number>> = {
  wish: 12,
  file: 2,
  crash: 5,
  terminate: 2,
  freeze: 3,
  cut: 6,
  slow: 2,
  stall: 1,
  clock: 1,
  backend: 5,
  worker: 1,
  lossy: 1,
  twice: 1,
  sluggish: 1,
};
const FACTORS = [0, 1, 1, 5] as const;

/** Whom and what the happenings of a run may be about. */
interface Cast {
  readonly kinds: readonly (readonly [Happening['kind'], number])[];
  readonly files: number;
  readonly processes: readonly string[];
  readonly gateways: readonly string[];
  readonly backends: readonly string[];
  /** Operators want things of these. */
  readonly wanted: readonly string[];
}

function drawSteps(
  chance: Chance,
  settings: FleetSettings,
  processes: readonly string[],
  count: number,
  unrestMs: number,
): Drawn[] {
  const backends = [...settings.web, ...settings.infer];
  const favourite = chance.pick(backends);
  const cast: Cast = {
    kinds: Object.entries(SHARES).map(
      ([kind, share]) => [kind as Happening['kind'], share * chance.pick(FACTORS)] as const,
    ),
    files: settings.files.length,
    processes,
    gateways: processes.filter((name) => name.startsWith('g')),
    backends,
    // One of these is not there at first.
    wanted: chance.happens(0.4) ? [favourite] : [...backends, NEW_BACKEND],
  };
  return Array.from({ length: count }, (_, index) => ({
    atMs: Math.round(chance.between(CALM_MS, unrestMs)),
    happening: drawHappening(chance.fork(`step ${index}`), cast),
  }));
}

function drawForgetting(chance: Chance, processes: readonly string[], unrestMs: number): Drawn[] {
  const gateways = processes.filter((name) => name.startsWith('g'));
  if (gateways.length === 1 || !chance.happens(FORGETTING)) return [];
  const atMs = Math.round(chance.between(CALM_MS, unrestMs));
  const ms = Math.round(chance.between(1_000, 4_000));
  const cut = { kind: 'cut', from: chance.pick(gateways), to: 'redis', both: true, ms } as const;
  const crash = { kind: 'crash', who: 'redis', ms: Math.round(chance.between(50, 400)) } as const;
  return [
    { atMs, happening: cut },
    { atMs: atMs + 1, happening: crash },
  ];
}

function drawKind(chance: Chance, kinds: Cast['kinds']): Happening['kind'] {
  const sum = kinds.reduce((total, [, share]) => total + share, 0);
  let left = chance.next() * sum;
  for (const [kind, share] of kinds) {
    left -= share;
    if (left < 0) return kind;
  }
  return 'wish';
}

function drawHappening(chance: Chance, cast: Cast): Happening {
  const { processes, gateways, backends } = cast;
  const anybody = (): string => chance.pick(chance.happens(0.3) ? SERVERS : processes);
  const process = (): string => chance.pick(processes);
  const upTo = (max: number): number => Math.round(chance.between(50, max));
  const kind = drawKind(chance, cast.kinds);
  switch (kind) {
    case 'wish':
      return { kind, wish: drawWish(chance, chance.pick(cast.wanted)) };
    case 'file':
      return { kind, version: chance.below(cast.files) };
    case 'crash':
      return { kind, who: anybody(), ms: upTo(chance.happens(0.5) ? 400 : 6_000) };
    case 'terminate':
      return { kind, who: process(), ms: upTo(4_000) };
    case 'freeze':
      return { kind, who: anybody(), ms: upTo(8_000) };
    case 'cut':
      return drawCut(chance, cast);
    case 'slow':
      return { kind, from: process(), to: chance.pick(SERVERS), byMs: upTo(300), ms: upTo(8_000) };
    case 'stall':
      return { kind, byMs: upTo(400), ms: upTo(5_000) };
    case 'clock':
      return { kind, who: process(), byMs: (upTo(4_000) - 2_000) * (chance.happens(0.34) ? 1_800 : 1) };
    case 'backend':
      return { kind, who: chance.pick(backends), condition: chance.pick(CONDITIONS), ms: upTo(12_000) };
    case 'worker':
      return { kind, who: chance.pick(gateways) };
    case 'lossy':
    case 'twice':
      return { kind, share: chance.between(0.01, 0.3), ms: upTo(6_000) };
    case 'sluggish':
      return { kind, who: process(), byMs: upTo(200), ms: upTo(10_000) };
  }
}

/** One direction or both, between two or from everybody. */
function drawCut(chance: Chance, { processes, backends }: Cast): Happening {
  const one = chance.pick(processes);
  const others = one.startsWith('g') ? [...SERVERS, ...backends] : SERVERS;
  const other = chance.happens(0.2) ? '*' : chance.pick(others);
  const [from, to] = chance.happens(0.5) ? [one, other] : [other, one];
  return { kind: 'cut', from, to, both: chance.happens(0.6), ms: Math.round(chance.between(50, 15_000)) };
}

function drawWish(chance: Chance, backend: string): Wish {
  const dice = chance.next();
  if (dice < 0.3) {
    const deadlineMs = chance.happens(0.5) ? {} : { deadlineMs: chance.below(8_000) };
    return { name: 'backend.drain', data: { backend, ...deadlineMs } };
  }
  if (dice < 0.5) return { name: 'backend.enable', data: { backend } };
  if (dice < 0.6) return { name: 'backend.disable', data: { backend } };
  if (dice < 0.75) return { name: 'backend.update', data: { backend, weight: 1 + chance.below(9) } };
  if (dice < 0.85) {
    const settings = { id: NEW_BACKEND, pool: 'web', url: urlOf(NEW_BACKEND), weight: 1 };
    return { name: 'backend.add', data: { settings } };
  }
  if (dice < 0.9) return { name: 'backend.remove', data: { backend } };
  const strategy = chance.pick(['p2c', 'random', 'round_robin'] as const);
  return { name: 'pool.set_strategy', data: { pool: 'web', strategy } };
}

/** A step in words. */
export function describeStep({ id, atMs, happening }: Step): string {
  const { kind, ...rest } = happening;
  return `${id}. ${(atMs / 1_000).toFixed(3)} s ${kind} ${JSON.stringify(rest)}`;
}
