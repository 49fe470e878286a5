import { type FleetSettings, drawSettings } from '../fleet/settings.ts';
import type { Wish } from '../fleet/operator.ts';
import type { ServiceName } from '../mutations/tampering.ts';
import { type Condition, urlOf } from '../parts/backends.ts';
import type { Chance } from '../world/chance.ts';

/** How long faults strike. */
export const UNREST_MS = 30_000;
/** Before the first fault the fleet gets this long to start. */
const CALM_MS = 3_000;

/** Something that happens to the fleet. */
export type Happening =
  | { readonly kind: 'wish'; readonly wish: Wish }
  | { readonly kind: 'file'; readonly version: number }
  | { readonly kind: 'crash' | 'terminate'; readonly who: string; readonly ms: number }
  | { readonly kind: 'freeze'; readonly who: string; readonly ms: number }
  | { readonly kind: 'cut'; readonly from: string; readonly to: string; readonly both: boolean; readonly ms: number }
  | { readonly kind: 'slow'; readonly from: string; readonly to: string; readonly byMs: number; readonly ms: number }
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

/** Everything about a run that is decided before it begins. */
export interface Plan {
  readonly settings: FleetSettings;
  readonly processes: ReadonlyMap<string, readonly ServiceName[]>;
  readonly requestsPerSecond: number;
  readonly steps: readonly Step[];
}

export function drawPlan(chance: Chance): Plan {
  const settings = drawSettings(chance.fork('settings'));
  const processes = drawProcesses(chance.fork('processes'));
  const steps = drawSteps(chance.fork('steps'), settings, [...processes.keys()]);
  return { settings, processes, requestsPerSecond: chance.fork('traffic').between(5, 25), steps };
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

function drawSteps(chance: Chance, settings: FleetSettings, processes: readonly string[]): Step[] {
  const count = 6 + chance.below(16);
  const happenings = Array.from({ length: count }, (_, index) => ({
    atMs: Math.round(chance.between(CALM_MS, UNREST_MS)),
    happening: drawHappening(chance.fork(`step ${index}`), settings, processes),
  }));
  return happenings
    .toSorted((a, b) => a.atMs - b.atMs)
    .map(({ atMs, happening }, id) => ({ id, atMs, happening }));
}

function drawHappening(chance: Chance, settings: FleetSettings, processes: readonly string[]): Happening {
  const backends = [...settings.web, ...settings.infer];
  const servers = ['nats', 'redis'];
  const anybody = (): string => chance.pick(chance.happens(0.3) ? servers : processes);
  const process = (): string => chance.pick(processes);
  const forMs = (max: number): number => Math.round(chance.between(50, max));
  const dice = chance.next();
  if (dice < 0.38) return { kind: 'wish', wish: drawWish(chance, backends) };
  if (dice < 0.42) return { kind: 'file', version: chance.below(settings.files.length) };
  if (dice < 0.54) return { kind: 'crash', who: anybody(), ms: forMs(6_000) };
  if (dice < 0.58) return { kind: 'terminate', who: process(), ms: forMs(4_000) };
  if (dice < 0.63) return { kind: 'freeze', who: anybody(), ms: forMs(8_000) };
  if (dice < 0.75) {
    const from = process();
    const others = from.startsWith('g') ? [...servers, ...backends] : servers;
    const to = chance.happens(0.2) ? '*' : chance.pick(others);
    const both = chance.happens(0.6);
    const [a, b] = chance.happens(0.5) ? [from, to] : [to, from];
    return { kind: 'cut', from: a, to: b, both, ms: forMs(15_000) };
  }
  if (dice < 0.79)
    return { kind: 'slow', from: process(), to: chance.pick(servers), byMs: forMs(300), ms: forMs(8_000) };
  if (dice < 0.81) return { kind: 'stall', byMs: forMs(400), ms: forMs(5_000) };
  if (dice < 0.83) return { kind: 'clock', who: process(), byMs: forMs(4_000) - 2_000 };
  if (dice < 0.93) {
    const condition = chance.pick(['refusing', 'hanging', 'failing', 'failing', 'slow'] as const);
    return { kind: 'backend', who: chance.pick(backends), condition, ms: forMs(12_000) };
  }
  if (dice < 0.95) return { kind: 'worker', who: chance.pick(processes.filter((name) => name.startsWith('g'))) };
  if (dice < 0.97) return { kind: chance.pick(['lossy', 'twice']), share: chance.between(0.01, 0.3), ms: forMs(6_000) };
  return { kind: 'sluggish', who: process(), byMs: forMs(200), ms: forMs(10_000) };
}

function drawWish(chance: Chance, backends: readonly string[]): Wish {
  // One of these is not there at first.
  const backend = chance.pick([...backends, 'b9']);
  const dice = chance.next();
  if (dice < 0.3) {
    const deadlineMs = chance.happens(0.5) ? {} : { deadlineMs: chance.below(8_000) };
    return { name: 'backend.drain', data: { backend, ...deadlineMs } };
  }
  if (dice < 0.5) return { name: 'backend.enable', data: { backend } };
  if (dice < 0.6) return { name: 'backend.disable', data: { backend } };
  if (dice < 0.75) return { name: 'backend.update', data: { backend, weight: 1 + chance.below(9) } };
  if (dice < 0.85) {
    const settings = { id: 'b9', pool: 'web', url: urlOf('b9'), weight: 1 };
    return { name: 'backend.add', data: { settings } };
  }
  if (dice < 0.9) return { name: 'backend.remove', data: { backend } };
  return { name: 'pool.set_strategy', data: { pool: 'web', strategy: chance.pick(['p2c', 'random', 'round_robin']) } };
}

/** A step in words. */
export function describeStep({ id, atMs, happening }: Step): string {
  const { kind, ...rest } = happening;
  return `${id}. ${(atMs / 1_000).toFixed(3)} s ${kind} ${JSON.stringify(rest)}`;
}
