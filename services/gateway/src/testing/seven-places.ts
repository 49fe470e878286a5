import { Agent, type ServerResponse } from 'node:http';
import { auditReservations, type ReservationReport } from '@usher/actors';
import { NO_RESOURCES, type QueueSettings } from '@usher/domain';
import type { StateStore } from '@usher/ports';
import { startGateway } from '../index.ts';
import { policy, pool, route } from './fixtures.ts';
import { backendAt, TestFleet } from './fleet.ts';
import { ask, startBackend } from './http.ts';

const GATEWAYS = 4;
/** Cores of each backend: seven places for requests that need one. */
const CORES = [4, 2, 1];
const POLL_MS = 2;
const ROUND_LIMIT_MS = 60_000;

export interface SevenPlacesOptions {
  /** One for each gateway; opened by whoever calls and closed by them. */
  readonly store: () => Promise<StateStore>;
  readonly rounds: number;
  readonly requests: number;
  readonly queue: QueueSettings;
}

export interface SevenPlaces {
  /** How many requests were on the backends at a time, at most. */
  readonly most: number;
  /** Answers of all rounds by their status. */
  readonly statuses: Readonly<Record<number, number>>;
  readonly audit: ReservationReport;
  /** Allocations that the store has at the end. */
  readonly left: number;
}

/**
 * Sends many requests at once through four gateways to backends that have seven places together. The seven that are let in
 * stay until the others are refused, or wait where there is a queue; then all go on.
 */
export async function sevenPlaces(options: SevenPlacesOptions): Promise<SevenPlaces> {
  const fleet = new TestFleet();
  const closing: (() => unknown)[] = [() => fleet.close()];
  const inside = new Set<ServerResponse>();
  const seen = { most: 0, statuses: {} as Record<number, number> };
  let passing = false;
  try {
    const backends = [];
    for (const [index, count] of CORES.entries()) {
      const backend = await startBackend(`b${index}`, (_request, response) => {
        inside.add(response);
        seen.most = Math.max(seen.most, inside.size);
        response.once('close', () => inside.delete(response));
        if (passing) setImmediate(() => response.end());
      });
      closing.push(() => backend.close());
      const capacity = { ...NO_RESOURCES, milliCpu: 1000 * count };
      backends.push(backendAt(`b${index}`, backend.url, { capacity }));
    }
    const stores = await Promise.all(Array.from({ length: GATEWAYS }, () => options.store()));
    const ports = await gatewaysOf(fleet, backends, stores, options.queue, closing);
    const agents = ports.map(() => new Agent({ keepAlive: true, maxSockets: options.requests }));
    closing.push(() => agents.forEach((agent) => agent.destroy()));
    const expected = options.queue.max > 0 ? 0 : options.requests - 7;
    for (let round = 0; round < options.rounds; round++) {
      passing = false;
      let answered = 0;
      const all = Array.from({ length: options.requests }, async (_, index) => {
        const at = index % GATEWAYS;
        const { status } = await ask(ports[at]!, { agent: agents[at]! });
        answered += 1;
        seen.statuses[status] = (seen.statuses[status] ?? 0) + 1;
      });
      await until(
        () => inside.size === 7 && answered >= expected,
        () => `${inside.size} in, ${answered} answered`,
      );
      passing = true;
      for (const response of inside) response.end();
      await Promise.all(all);
      await until(
        () => fleet.fold.state.backends.values().every(({ allocations }) => allocations.size === 0),
        () => 'something is reserved still',
      );
    }
    const { allocations } = await stores[0]!.reservations.list('web');
    return { ...seen, audit: auditReservations(fleet.history), left: allocations.length };
  } finally {
    for (const close of closing.toReversed()) await close();
  }
}

async function gatewaysOf(
  fleet: TestFleet,
  backends: readonly ReturnType<typeof backendAt>[],
  stores: readonly StateStore[],
  queue: QueueSettings,
  closing: (() => unknown)[],
): Promise<number[]> {
  const tiers = [{ name: 'one', resources: { ...NO_RESOURCES, milliCpu: 1000 } }];
  const routes = [route({ id: 'all', path: '/*', pool: 'web', tier: { fieldBytesMax: 0, default: 'one' } })];
  const settings = pool({ tiers, reserve: 'request', queue });
  await fleet.configure(backends, { pools: [settings], routes });
  const fallback = { ...policy({ routes }), pools: [], backends: [] };
  const listen = [{ host: '127.0.0.1', port: 0 }];
  const ports: number[] = [];
  for (const [index, store] of stores.entries()) {
    const name = `gw-${index}`;
    const context = fleet.context({ instance: name, owner: name, store });
    const gateway = await startGateway(context, { listen, workers: 1 }, fallback);
    closing.push(() => gateway.stop());
    ports.push(gateway.addresses[0]!.port);
  }
  return ports;
}

async function until(holds: () => boolean, why: () => string): Promise<void> {
  const deadlineMs = performance.now() + ROUND_LIMIT_MS;
  while (!holds()) {
    if (performance.now() > deadlineMs) throw new Error(`it does not come about: ${why()}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
