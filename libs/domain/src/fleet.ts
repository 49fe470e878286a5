import type { BackendState } from './backend.ts';
import type { ClearedSessions } from './clearance.ts';
import type { PolicySettings, PoolSettings } from './settings.ts';

/** What the fleet believes about one gateway. */
export interface GatewayState {
  version: string;
  startedAtMs: number;
  running: boolean;
  /** Requests answered, and those of them answered with a status of 500 or above, whoever made it. */
  requests: number;
  errors: number;
  /** Why its votes on breakers do not count; null as long as they do. */
  suspect: GatewaySuspicion | null;
}

/** A gateway fails where others do not. */
export interface GatewaySuspicion {
  readonly sinceMs: number;
  /** Backends that it fails against, of those that it uses. */
  readonly tripped: number;
  readonly used: number;
}

export interface PoolState {
  settings: PoolSettings;
  origin: 'config' | 'command';
  /** Gateways in which the pool is in panic, by the time since which it is. */
  panicBy: Map<string, number>;
  /** When each gateway last reported traffic to any of its backends. */
  seenBy: Map<string, number>;
  cleared: ClearedSessions;
  revision: number;
}

/** The answer to a command that was accepted, kept so that the same command repeated changes nothing. */
export interface CommandReceipt {
  readonly id: string;
  /** Of its name and data. */
  readonly fingerprint: string;
  readonly position: number;
  readonly eventTypes: readonly string[];
}

/** The shared configuration in force. */
export interface ConfigState {
  /** How many files were applied so far. */
  revision: number;
  /** Its revision to whoever changes it: position of the record that last changed any of it, be it by a command. */
  changedAt: number;
  /** Position of the record by which a file was last applied, and not a command. */
  declaredAt: number;
  /** Names the shared settings of the file. */
  hash: string;
  /** Whose file it is. */
  by: string;
  policy: PolicySettings;
  /** Ids of the routes that commands added, which a file does not take away. */
  added: readonly string[];
  /** Hashes of those before it, newest first, at most `SUPERSEDED_MAX`. */
  superseded: readonly string[];
}

/** How many configurations are remembered so that an old file does not bring them back. */
export const SUPERSEDED_MAX = 100;

/** The state of the whole fleet: a fold of the event log and of nothing else. */
export interface FleetState {
  /** Null until a configuration was applied. */
  config: ConfigState | null;
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
