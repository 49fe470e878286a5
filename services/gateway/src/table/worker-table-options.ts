import type { PolicySettings } from '@usher/domain';
import type { SharedTools } from '../sticky/shared-sessions.ts';
import type { BreakerNews } from './breaker-news.ts';
import type { StrategyLog } from './custom-strategies.ts';
import type { PlacingTools } from './placing.ts';

export interface WorkerTableOptions extends Omit<PlacingTools, 'begin'>, Omit<SharedTools, 'random'> {
  readonly policy: PolicySettings;
  /** Its place among those of the gateway. */
  readonly worker: number;
  readonly onBreaker: (news: BreakerNews) => void;
  /** Hears of strategies that fail. */
  readonly log: StrategyLog;
}
