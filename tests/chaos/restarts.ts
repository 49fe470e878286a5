import { setTimeout as sleep } from 'node:timers/promises';
import type { Report } from '../soak/report.ts';
import { ChaosFleet } from './chaos-fleet.ts';
import type { ChaosOptions } from './main.ts';

const BACKENDS = 5;
const SICK = [1, 3];
const RESTARTS = 20;
const QUICK_RESTARTS = 3;
const RATE_PER_S = 200;
const LIMIT_MS = 1_000;
/** Between two restarts, so that the gateway has traffic. */
const LIFE_MS = 1_000;

/** A gateway that is started again and again knows from its first request on which backends are down. */
export async function chaos(report: Report, { quick }: ChaosOptions): Promise<void> {
  const fleet = await ChaosFleet.start({ nats: 'single', backends: BACKENDS });
  await fleet.service('scheduler').eligible(...Array.from({ length: BACKENDS }, (_, place) => `b${place}`));
  await fleet.backends.set('sick', SICK);
  await fleet.backendsAre('unhealthy', SICK);
  const before = await sickRequests(fleet);
  const client = fleet.client(RATE_PER_S, LIMIT_MS);
  client.go();
  const restarts = quick ? QUICK_RESTARTS : RESTARTS;
  const gateway = fleet.service('gateway-2');
  for (let done = 0; done < restarts; done++) {
    // Every other time it gets no chance to say goodbye.
    if (done % 2 === 0) await gateway.kill9();
    else await gateway.stop();
    await gateway.start();
    await sleep(LIFE_MS);
  }
  const samples = await client.rest();
  const answered = samples.filter(({ gateway: place, ending }) => place === 1 && ending === 200);
  report.add('restarts', restarts, '');
  report.add('requests that the restarted gateway answered', answered.length, '', { min: restarts });
  report.add(
    'failed',
    samples.filter(({ ending }) => typeof ending === 'number' && ending !== 200).length,
    '',
    {
      max: 0,
    },
  );
  report.add('requests to backends that are down', (await sickRequests(fleet)) - before, '', { max: 0 });
  await client.stop();
  await fleet.stop();
}

async function sickRequests(fleet: ChaosFleet): Promise<number> {
  const { backends } = await fleet.backends.counts();
  return SICK.reduce((sum, place) => sum + (backends[place]?.requests ?? 0), 0);
}
