import type { PolicySettings } from '@usher/domain';
import type { SharedTools } from '../sticky/shared-sessions.ts';
import type { StrategyLog } from './custom-strategies.ts';
import type { JudgeTools } from './judge.ts';
import type { PlacingTools } from './placing.ts';

export interface WorkerTableOptions
  extends Omit<PlacingTools, 'begin'>,
    Omit<SharedTools, 'random'>,
    JudgeTools {
  readonly policy: PolicySettings;
  /** Its place among those of the gateway. */
  readonly worker: number;
  /** Hears that a token named a key that is not among those published at a place. */
  readonly onKeysWanted: (place: string) => void;
  /** Hears of strategies that fail. */
  readonly log: StrategyLog;
}
