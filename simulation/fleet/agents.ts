import { STATS_PREFIX } from '@usher/events';
import type { Chance } from '../world/chance.ts';
import type { FleetClient } from './client.ts';

const REPORT_EVERY_MS = 1_000;
const GIB = 2 ** 30;

/** The agents beside the backends: each says once a second how its machine is, which has room enough. */
export function startAgents(client: FleetClient, backends: readonly string[], chance: Chance): void {
  for (const backend of backends) {
    const report = (): void => {
      const stats = {
        atMs: client.clock.now(),
        coresPercent: Array.from({ length: 16 }, () => Math.round(chance.between(0, 20))),
        memoryUsedBytes: GIB,
        memoryTotalBytes: 64 * GIB,
        diskUsedBytes: GIB,
        diskTotalBytes: 64 * GIB,
        gpus: [],
        everyMs: REPORT_EVERY_MS,
      };
      client.bus.publish(`${STATS_PREFIX}.${backend}`, JSON.stringify(stats));
    };
    client.clock.after(chance.between(0, REPORT_EVERY_MS), () => client.clock.every(REPORT_EVERY_MS, report));
  }
}
