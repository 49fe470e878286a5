import { BusClient } from '../parts/bus.ts';
import { LogLink } from '../parts/log-link.ts';
import type { Node } from '../world/network.ts';
import { ProcessClock, Scope } from '../world/scope.ts';
import type { Surroundings } from './surroundings.ts';

/** Somebody who is no process of the fleet and speaks to it by the bus. */
export class FleetClient implements Node {
  readonly name: string;
  readonly scope: Scope;
  readonly clock: ProcessClock;
  readonly bus: BusClient;

  constructor(name: string, { world, network, logServer, hub }: Surroundings) {
    this.name = name;
    this.scope = new Scope(world);
    this.clock = new ProcessClock(this.scope, () => 0);
    const link = new LogLink(this, this.clock, network, logServer);
    this.bus = new BusClient(hub, link, this.clock);
    void link.start();
  }
}
