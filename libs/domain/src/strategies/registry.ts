import type { StrategyName } from '../settings.ts';
import { leastConnections } from './least-connections.ts';
import { p2c } from './p2c.ts';
import { roundRobin } from './round-robin.ts';
import type { Strategy } from './strategy.ts';
import { weightedRoundRobin } from './weighted-round-robin.ts';

/** Every strategy, by the name that a pool's settings use. */
export const STRATEGIES: Readonly<Record<StrategyName, Strategy>> = {
  round_robin: roundRobin,
  weighted_round_robin: weightedRoundRobin,
  least_connections: leastConnections,
  p2c,
};
