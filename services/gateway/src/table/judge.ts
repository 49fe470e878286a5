import { type BreakerChange, breakerRecord, breakerTick, breakerTrialEnded } from '@usher/domain';
import type { AttemptOutcome, BackendSlot, PoolTable } from '../routing-table.ts';
import { type BreakerNews, breakerNews } from './breaker-news.ts';
import { noteEnd, tickEjection } from './ejections.ts';
import type { Members } from './members.ts';
import { evidenceOf } from './observation.ts';
import { PanicWatch } from './panic.ts';
import type { PoolNews } from './pool-news.ts';
import { isAdmitted } from './pool-table.ts';

/** Who hears of what a worker found out itself. */
export interface JudgeTools {
  readonly onBreaker: (news: BreakerNews) => void;
  readonly onPoolNews: (news: PoolNews) => void;
}

/** What a worker itself thinks of its backends, by how they serve: drives their breakers and ejections. */
export class Judge {
  readonly #members: Members;
  readonly #tools: JudgeTools;
  readonly #panics = new PanicWatch();

  constructor(members: Members, tools: JudgeTools) {
    this.#members = members;
    this.#tools = tools;
  }

  /** An attempt ended. True when who may be chosen of the pool may have changed. */
  ended(
    pool: PoolTable,
    slot: BackendSlot,
    outcome: AttemptOutcome,
    durationMs: number,
    nowMs: number,
  ): boolean {
    const evidence = evidenceOf(outcome);
    slot.requests += 1;
    slot.latencySumMs += durationMs;
    if (evidence !== 'good') slot.failures += 1;
    const { breaker } = slot;
    const startedMs = nowMs - durationMs;
    const trial = breaker.phase === 'half_open' && startedMs >= breaker.halfOpenSinceMs;
    let change: BreakerChange = 'none';
    let news: PoolNews | undefined;
    if (outcome !== 'client_closed') {
      const { settings } = pool;
      if (settings.breaker.enabled)
        change = breakerRecord(breaker, settings.breaker, evidence, startedMs, nowMs);
      if (settings.passive !== undefined)
        news = noteEnd(pool, slot, evidence !== 'good', startedMs, nowMs, isAdmitted);
    }
    if (trial) breakerTrialEnded(breaker);
    if (change !== 'none') this.#tell(slot, () => this.#tools.onBreaker(breakerNews(slot, change)));
    if (news !== undefined) this.#tell(slot, () => this.#tools.onPoolNews(news));
    return trial || change !== 'none' || news !== undefined || (pool.panic && evidence === 'unreachable');
  }

  /** Lets time pass; answers with the pools of which who may be chosen may have changed. */
  tick(nowMs: number): Set<PoolTable> {
    const changed = new Set<PoolTable>();
    for (const { pool, slot } of this.#members.all()) {
      const { breaker } = slot;
      if (breaker.phase !== 'closed') {
        if (breakerTick(breaker, pool.settings.breaker, nowMs)) changed.add(pool);
      }
      if (slot.ejection.untilMs === 0) continue;
      const news = tickEjection(pool, slot, nowMs);
      if (news === undefined) continue;
      changed.add(pool);
      this.#tools.onPoolNews(news);
    }
    return changed;
  }

  /** Tells of panics that began or ended since. */
  tellPanics(pools: Iterable<PoolTable>): void {
    for (const news of this.#panics.look(pools)) this.#tools.onPoolNews(news);
  }

  /** Of backends that are gone there is nothing to tell. */
  #tell(slot: BackendSlot, tell: () => void): void {
    if (this.#members.get(slot.id)?.slot === slot) tell();
  }
}
