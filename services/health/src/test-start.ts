import { onTestFinished } from 'vitest';
import { startHealth } from './health-service.ts';
import { poolAdded, settled, TestFleet } from './test-fleet.ts';
import { ScriptedProber } from './test-prober.ts';

/** A fleet with the pool `web` and one process that probes. */
export async function startProbing() {
  const fleet = new TestFleet();
  await fleet.write(poolAdded('web'));
  const prober = new ScriptedProber();
  const process = fleet.open('one');
  await settled();
  const service = startHealth(process.context, { prober });
  onTestFinished(() => service.stop());
  await settled();
  const health = (backend: string) => process.fold.state.backends.get(backend)?.health;
  return { fleet, prober, process, service, health };
}
