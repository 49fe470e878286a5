import type { DeclaredConfig } from '@usher/scheduler';
import type { Choices } from '../checks/choices.ts';
import type { Findings } from '../checks/findings.ts';
import type { Ledger } from '../checks/ledger.ts';
import type { Tampering } from '../mutations/tampering.ts';
import type { Backends } from '../parts/backends.ts';
import type { BusHub } from '../parts/bus.ts';
import type { LogServer } from '../parts/log-server.ts';
import type { StoreServer } from '../parts/store-server.ts';
import type { Network } from '../world/network.ts';
import type { World } from '../world/world.ts';

/** What is there besides the processes. */
export interface Surroundings {
  readonly world: World;
  readonly network: Network;
  readonly logServer: LogServer;
  readonly storeServer: StoreServer;
  readonly hub: BusHub;
  readonly backends: Backends;
  readonly ledger: Ledger;
  readonly findings: Findings;
  readonly choices: Choices;
  readonly tampering: Tampering;
  /** The file as it is now. */
  declared(): DeclaredConfig;
}
