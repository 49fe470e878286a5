import { availableParallelism, totalmem } from 'node:os';
import type { PressureSettings } from '@usher/domain';
import type { Service } from '@usher/ports';
import type { WorkerOverload } from '../worker/pressure-watch.ts';
import type { ListenAddress } from '../worker/protocol.ts';
import type { Inherit, ListenerSettings } from './listeners.ts';

/** More workers than this gain nothing that another gateway would not gain more safely. */
const WORKERS_AUTO_MAX = 16;

/** Where a gateway finds secrets, which are never part of the shared settings. */
export interface SecretSettings {
  /** What a reference `env:NAME` or `file:/path` stands for. Throws an error that says why nothing. */
  readonly secretOf: (reference: string) => string;
  /** File for the key that the gateway makes for cookies when it is the only one; undefined = the store shares it. */
  readonly keyFile: string | undefined;
}

export const NO_SECRETS: SecretSettings = {
  secretOf: () => {
    throw new Error('there is nothing to look it up in');
  },
  keyFile: undefined,
};

export interface GatewaySettings {
  readonly listen: readonly ListenerSettings[];
  /** `auto`: one per core, at most 16. */
  readonly workers: number | 'auto';
  /** Absent: references stand for nothing, and the store has what is made. */
  readonly secrets?: SecretSettings;
  /**
   * Descriptors of sockets that listen on an address already, left by another process. They are taken with all that the
   * kernel holds for them, one or more for each worker. Absent = there are none.
   */
  readonly inherit?: Inherit | undefined;
  /** File of the database that says where clients are. Absent = nobody knows. */
  readonly geoipDatabase?: string | undefined;
  /** Requests that show it are answered with more than others. Absent = none are. */
  readonly debugToken?: string | undefined;
  /** Whether answers are counted by method and status, for metrics that tell these apart. Absent = no. */
  readonly countsMethods?: boolean;
  /** When it does without some of the requests. Absent = never. */
  readonly overload?: OverloadSettings | undefined;
}

interface OverloadSettings extends PressureSettings {
  /** What the process may take; absent = what its control group allows, or the machine has. */
  readonly memoryBytes?: number | undefined;
}

export function overloadOf({ overload }: GatewaySettings): WorkerOverload | undefined {
  if (overload === undefined) return undefined;
  const allowed = process.constrainedMemory();
  const machine = totalmem();
  const surroundings = allowed > 0 && allowed < machine ? allowed : machine;
  return { ...overload, memoryBytes: overload.memoryBytes ?? surroundings };
}

/** How many workers a gateway has. */
export function workersOf({ workers }: GatewaySettings): number {
  return workers === 'auto' ? Math.min(availableParallelism(), WORKERS_AUTO_MAX) : workers;
}

/** A running gateway. Its traffic depends on nothing but its backends. */
export interface Gateway extends Service {
  /** Where it listens, in the order of the settings; a port of 0 there is the port that was found here. */
  readonly addresses: readonly ListenAddress[];
  /**
   * Takes traffic where `listen` says from now on. Addresses that stay keep their sockets, and what is special about them
   * counts for new connections; addresses that go take no further connections. No accepted connection is affected. Rejects,
   * with everything as it was, when an address cannot be listened on or its certificates cannot be used.
   */
  listen(listen: readonly ListenerSettings[]): Promise<void>;
  /**
   * Gives whoever sends traffic here time to find out that it is about to stop: serves what comes, and keeps no connection.
   * Resolves when that time, `timeouts.lame_duck`, is over. To be followed by `stop`.
   */
  leave(): Promise<void>;
}
