import { setTimeout as sleep } from 'node:timers/promises';
import type { Report } from '../soak/report.ts';
import { until } from '../support/wait.ts';
import { ChaosFleet } from './chaos-fleet.ts';
import { hostOf } from './client/host-of.ts';
import { FaultProxy } from './fault-proxy.ts';
import { LogFacts } from './log-facts.ts';
import type { ChaosOptions } from './main.ts';

const BACKENDS = 4;
const RATE_PER_S = 200;
const BROKEN_MS = 15_000;
const QUICK_BROKEN_MS = 5_000;
const LIMIT_MS = 2_000;

/** What `usher breakers --json` says, as far as it is read. */
interface Breakers {
  readonly gateways: readonly { readonly gateway: string; readonly trust: string }[];
}

/** The way out of one gateway of two is broken: the fleet goes on using the backends, and knows whose fault it is. */
export async function chaos(report: Report, { quick }: ChaosOptions): Promise<void> {
  let broken = false;
  const ofBroken = Buffer.from(`host: ${hostOf(0)}\r\n`);
  const proxies: FaultProxy[] = [];
  const fleet = await ChaosFleet.start({
    nats: 'single',
    backends: BACKENDS,
    through: async (ports) => {
      for (const port of ports) {
        proxies.push(
          await FaultProxy.start(port, () => ({ resetOn: (first) => broken && first.includes(ofBroken) })),
        );
      }
      return proxies.map(({ port }) => port);
    },
  });
  const facts = await LogFacts.open(fleet.nats.map(({ url }) => url));
  await fleet.service('scheduler').eligible('b0', 'b1', 'b2', 'b3');
  const client = fleet.client(RATE_PER_S, LIMIT_MS);
  client.go();
  await until(
    'both gateways have told of their traffic',
    () => facts.requests.size === fleet.gateways.length,
  );
  broken = true;
  // Connections that it has are used up to their end.
  for (const proxy of proxies) proxy.cut();
  await sleep(quick ? QUICK_BROKEN_MS : BROKEN_MS);
  const samples = await client.rest();
  const failed = (gateway: number): number =>
    samples.filter((sample) => sample.gateway === gateway && sample.ending !== 200).length;
  report.add('requests', samples.length, '');
  report.add('failed at the gateway whose way out is broken', failed(0), '', { min: 1 });
  report.add('failed at the other one', failed(1), '', { max: 0 });
  report.add('its own breakers that opened', facts.types.get('breaker.tripped') ?? 0, '', {
    min: BACKENDS / 2,
  });
  report.add('fleet breakers that opened', facts.types.get('breaker.opened') ?? 0, '', { max: 0 });
  const suspects = (await fleet.service('scheduler').json<Breakers>('breakers')).gateways
    .filter(({ trust }) => trust === 'suspect')
    .map(({ gateway }) => gateway);
  report.add('events that flag a gateway', facts.types.get('gateway.suspected') ?? 0, '', { min: 1 });
  report.add('flagged: the one whose way out is broken', Number(suspects.includes('gateway-1')), '', {
    min: 1,
  });
  report.add('flagged: others', suspects.filter((each) => each !== 'gateway-1').length, '', { max: 0 });
  await client.stop();
  await facts.close();
  await fleet.stop();
  for (const proxy of proxies) proxy.stop();
}
