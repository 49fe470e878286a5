import type { ServerResponse } from 'node:http';
import { openNatsBus } from '@usher/event-log';
import { startNatsServer } from '@usher/testing';
import { afterEach, test } from 'vitest';
import { startGateway } from '../index.ts';
import { policy, pool } from '../testing/fixtures.ts';
import { backendAt, registered, TestFleet } from '../testing/fleet.ts';
import { ask, startBackend, until } from '../testing/http.ts';

const HELD = 8;
const IN_A_ROW = 12;

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

test('two gateways know of each other’s requests by NATS, and forget them when the other one is silent', async () => {
  const nats = await startNatsServer();
  closing.push(() => nats.stop());
  const fleet = new TestFleet();
  closing.push(() => fleet.close());
  const kept: ServerResponse[] = [];
  const urls = [];
  for (const id of ['b1', 'b2']) {
    const backend = await startBackend(id, ({ url }, response) => {
      if (url === '/keep') kept.push(response);
      else response.end(id);
    });
    closing.push(() => backend.close());
    urls.push(backend.url);
  }
  await fleet.configure([backendAt('b1', urls[0]!)], { pools: [pool({ strategy: 'least_connections' })] });
  const gateway = async (name: string) => {
    const { clock, log } = fleet;
    const nearby = await openNatsBus({ servers: [nats.url], name, log, clock });
    const { bus } = nearby;
    const close = (): Promise<void> => nearby.close();
    closing.push(close);
    const context = fleet.context({ instance: name, owner: name, bus });
    const listen = [{ host: '127.0.0.1', port: 0 }];
    const started = await startGateway(
      context,
      { listen, workers: 1 },
      { ...policy(), pools: [], backends: [] },
    );
    closing.push(() => started.stop());
    return { port: started.addresses[0]!.port, close };
  };
  const [busy, idle] = [await gateway('gw-1'), await gateway('gw-2')];
  const asked = Array.from({ length: HELD }, () => ask(busy.port, { path: '/keep' }));
  await until(() => kept.length === HELD, 'the first gateway has requests under way on the only backend');
  await fleet.append(registered(backendAt('b2', urls[1]!)));

  /** Whether the other gateway sends its requests, which are short, as is said. */
  const goesTo = async (backends: readonly string[]): Promise<boolean> => {
    const seen = new Set<string>();
    for (let each = 0; each < IN_A_ROW; each++) seen.add((await ask(idle.port)).text);
    return seen.size === backends.length && backends.every((id) => seen.has(id));
  };
  await until(() => goesTo(['b2']), 'the other gateway avoids the busy backend');
  // Nobody says that it is gone.
  await busy.close();
  await until(() => goesTo(['b1', 'b2']), 'what it said last is forgotten');
  for (const response of kept) response.end('kept');
  await Promise.all(asked);
});
