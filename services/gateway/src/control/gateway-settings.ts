import type { Service } from '@usher/ports';
import type { ListenAddress } from '../worker/protocol.ts';
import type { ListenerSettings } from './listeners.ts';

export interface GatewaySettings {
  readonly listen: readonly ListenerSettings[];
  /** `auto`: one per core, at most 16. */
  readonly workers: number | 'auto';
  /** File of the database that says where clients are. Absent = nobody knows. */
  readonly geoipDatabase?: string | undefined;
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
}
