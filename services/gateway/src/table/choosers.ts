import {
  type Chooser,
  Custom,
  DEFAULT_SCORING,
  type PoolSettings,
  type ScoringSettings,
  STRATEGIES,
} from '@usher/domain';
import type { BackendSlot, PoolTable } from '../routing-table.ts';
import { CustomStrategies, type StrategyLog } from './custom-strategies.ts';

/** A strategy of the user's own may go by everything. */
const CUSTOM = { needsKey: true, needsAnswers: true, needsLoad: true };

/** Gives pools the strategies that their settings name. */
export class Choosers {
  readonly #log: StrategyLog;
  readonly #custom: CustomStrategies;
  /** Which strategy each pool has, so that settings that leave it alone do not reset it. */
  readonly #named = new Map<PoolTable, string>();

  constructor(log: StrategyLog) {
    this.#log = log;
    this.#custom = new CustomStrategies(log, (file) => this.#onLoaded(file));
  }

  /** Resolves when no strategy is being loaded. */
  loaded(): Promise<void> {
    return this.#custom.settled();
  }

  /** Takes up a pool's settings. Who may be chosen is to be set afterwards. */
  equip(pool: PoolTable): void {
    const { settings } = pool;
    const { strategy, hash = { by: 'ip' } } = settings;
    const needs = strategy === 'custom' ? CUSTOM : STRATEGIES[strategy];
    pool.hash = !needs.needsKey ? undefined : strategy === 'ip_hash' ? { by: 'ip' } : hash;
    pool.hears = needs.needsAnswers || settings.adaptive !== undefined;
    pool.needsLoad = needs.needsLoad;
    pool.asksWhere = strategy === 'resource' && scoringOf(settings).distance > 0;
    const name = nameOf(settings);
    if (this.#named.get(pool) === name) return;
    this.#named.set(pool, name);
    pool.chooser = this.#create(settings);
  }

  /** Until a strategy of the user's own is loaded, and when it cannot be, `p2c` stands in. */
  #create(settings: PoolSettings): Chooser<BackendSlot> {
    const { id, strategy, strategyFile = '' } = settings;
    if (strategy !== 'custom')
      return STRATEGIES[strategy].create({ tiers: settings.tiers ?? [], scoring: scoringOf(settings) });
    const choose = this.#custom.get(strategyFile);
    if (choose === undefined) return STRATEGIES.p2c.create();
    let last = '';
    return new Custom(choose, (cause) => {
      // What goes wrong once goes wrong with every request.
      if (cause !== last) this.#log.error('a strategy failed', { pool: id, file: strategyFile, cause });
      last = cause;
    });
  }

  #onLoaded(file: string): void {
    for (const pool of this.#named.keys()) {
      const { settings } = pool;
      if (settings.strategy !== 'custom' || settings.strategyFile !== file) continue;
      pool.chooser = this.#create(settings);
      pool.chooser.update?.(pool);
    }
  }
}

/** Pools whose settings have the same name can go on with the strategy that they have. */
function nameOf({ strategy, strategyFile, tiers, scoring }: PoolSettings): string {
  const goesBy = strategy === 'resource' ? JSON.stringify([tiers, scoring]) : (strategyFile ?? '');
  return `${strategy} ${goesBy}`;
}

function scoringOf({ scoring }: PoolSettings): ScoringSettings {
  return scoring ?? DEFAULT_SCORING;
}
