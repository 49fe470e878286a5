import type { BackendState } from './backend.ts';
import type { PolicySettings, PoolSettings } from './settings.ts';

/** What the fleet believes about one gateway. */
export interface GatewayState {
  version: string;
  startedAtMs: number;
  running: boolean;
  /** Requests answered, and those of them answered with a status of 500 or above, whoever made it. */
  requests: number;
  errors: number;
}

export interface PoolState {
  settings: PoolSettings;
  origin: 'config' | 'command';
  revision: number;
}

/** The answer to a command that was accepted, kept so that the same command repeated changes nothing. */
export interface CommandReceipt {
  readonly id: string;
  readonly position: number;
  readonly eventTypes: readonly string[];
}

/** The state of the whole fleet: a fold of the event log and of nothing else. */
export interface FleetState {
  /** Null until a configuration was applied. `hash` names the shared settings that were. */
  config: { revision: number; hash: string; policy: PolicySettings } | null;
  pools: Map<string, PoolState>;
  backends: Map<string, BackendState>;
  /** All that run, and the last `GONE_GATEWAYS_MAX` of those that have stopped or were lost, in the order in which they went. */
  gateways: Map<string, GatewayState>;
  leader: { scheduler: string; term: number } | null;
  /** The newest accepted commands, oldest first, at most `RECEIPTS_MAX`. */
  receipts: Map<string, CommandReceipt>;
}

/** How many accepted commands are remembered for idempotence. */
export const RECEIPTS_MAX = 10_000;

/** How many gateways that are gone are remembered. */
export const GONE_GATEWAYS_MAX = 100;

export function emptyFleet(): FleetState {
  return {
    config: null,
    pools: new Map(),
    backends: new Map(),
    gateways: new Map(),
    leader: null,
    receipts: new Map(),
  };
}
