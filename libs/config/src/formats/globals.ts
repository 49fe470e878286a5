import type { Place } from '../fault.ts';
import type { Input } from '../input/input.ts';
import { duration, map, size, unlessEmpty, value } from './draft.ts';
import type { Remarks } from './remarks.ts';

type Unit = 'duration' | 'size' | 'count';

/** Settings that other systems have for each server and Usher has once: the largest counts. */
const GLOBAL_SETTINGS = {
  connect: ['timeouts', 'duration'],
  response: ['timeouts', 'duration'],
  request_header: ['timeouts', 'duration'],
  body_idle: ['timeouts', 'duration'],
  idle: ['timeouts', 'duration'],
  upgrade_idle: ['timeouts', 'duration'],
  shutdown: ['timeouts', 'duration'],
  request_body: ['limits', 'size'],
  connections: ['limits', 'count'],
  requests_per_connection: ['limits', 'count'],
} as const satisfies Readonly<Record<string, readonly [section: string, unit: Unit]>>;

export type GlobalSetting = keyof typeof GLOBAL_SETTINGS;

/** Where 0 is no limit, and so more than every other value. */
const UNLIMITED: ReadonlySet<GlobalSetting> = new Set(['request_body', 'requests_per_connection']);

interface Found {
  readonly amount: number;
  readonly at: Place;
}

/** Collects them from wherever they stand. */
export class Globals {
  readonly #remarks: Remarks;
  readonly #found = new Map<GlobalSetting, Found>();

  constructor(remarks: Remarks) {
    this.#remarks = remarks;
  }

  /** In milliseconds, bytes or as a count. */
  add(setting: GlobalSetting, amount: number, at: Place, from: string): void {
    const before = this.#found.get(setting);
    if (before !== undefined && before.amount !== amount) {
      const [section] = GLOBAL_SETTINGS[setting];
      this.#remarks.changed(from, at, `${section}.${setting} is the same for all routes: the largest counts`);
    }
    if (before === undefined || rank(setting, amount) > rank(setting, before.amount))
      this.#found.set(setting, { amount, at });
  }

  section(name: 'timeouts' | 'limits'): Input | undefined {
    const parts: Record<string, Input> = {};
    for (const [setting, { amount, at }] of this.#found) {
      const [section, unit] = GLOBAL_SETTINGS[setting];
      if (section === name) parts[setting] = value(written(amount, unit), at);
    }
    return unlessEmpty(map(parts));
  }
}

function rank(setting: GlobalSetting, amount: number): number {
  return amount === 0 && UNLIMITED.has(setting) ? Number.POSITIVE_INFINITY : amount;
}

function written(amount: number, unit: Unit): string | number {
  if (unit === 'count') return amount;
  return unit === 'size' ? size(amount) : duration(amount);
}
