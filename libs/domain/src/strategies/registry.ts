import type { BuiltInStrategy } from '../settings.ts';
import { consistentHash } from './consistent-hash.ts';
import { ipHash } from './ip-hash.ts';
import { leastConnections } from './least-connections.ts';
import { leastResponseTime } from './least-response-time.ts';
import { maglev } from './maglev.ts';
import { p2c } from './p2c.ts';
import { peakEwma } from './peak-ewma.ts';
import { random } from './random.ts';
import { resource } from './resource.ts';
import { roundRobin } from './round-robin.ts';
import type { Strategy } from './strategy.ts';
import { weightedRoundRobin } from './weighted-round-robin.ts';

/** Every strategy that Usher brings, by the name that a pool's settings use. */
export const STRATEGIES: Readonly<Record<BuiltInStrategy, Strategy>> = {
  round_robin: roundRobin,
  weighted_round_robin: weightedRoundRobin,
  random,
  least_connections: leastConnections,
  p2c,
  ip_hash: ipHash,
  consistent_hash: consistentHash,
  maglev,
  peak_ewma: peakEwma,
  least_response_time: leastResponseTime,
  resource,
};
