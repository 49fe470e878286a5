import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { NO_RESOURCES } from '@usher/domain';
import type { Reservations } from '@usher/ports';
import { openEmbeddedStore, openRedisStore } from '@usher/state-store';
import { insist, RecordingLog, startRedisServer, wallClock } from '@usher/testing';

const MEASURED_MS = 3000;
const IN_FLIGHT = 64;
const CANDIDATES = [1, 4, 16];
const LEASE_MS = 60_000;

interface Measured {
  readonly perSecond: number;
  /** Processor time of this process for each pair. */
  readonly clientUs: number;
  readonly serverUs: number;
}

/**
 * Pairs of a reservation and its give-back per second: through one real Redis server, and embedded. The processor times
 * say what is possible on a machine that does nothing else: the server does all of its work on one core.
 */
export async function run(): Promise<void> {
  const server = await startRedisServer();
  const redis = await openRedisStore({ url: server.url, clock: wallClock, log: new RecordingLog() });
  const embedded = openEmbeddedStore({ clock: wallClock });
  try {
    for (const candidates of CANDIDATES) {
      print(
        'redis',
        candidates,
        await measure(redis.reservations, candidates, () => serverCpuUs(server.url)),
      );
      print('embedded', candidates, await measure(embedded.reservations, candidates, async () => 0));
    }
  } finally {
    await redis.close();
    await embedded.close();
    await server.stop();
  }
}

function print(name: string, candidates: number, { perSecond, clientUs, serverUs }: Measured): void {
  console.log(
    `${name}, ${candidates} candidates, ${IN_FLIGHT} in flight: ${Math.round(perSecond)} pairs/s, ${clientUs.toFixed(1)} µs here and ${serverUs.toFixed(1)} µs on the server a pair`,
  );
}

async function measure(
  reservations: Reservations,
  candidates: number,
  serverCpuUs: () => Promise<number>,
): Promise<Measured> {
  const pool = `bench-${candidates}`;
  const owner = 'gw-1';
  const told = randomUUID();
  await reservations.restore({
    pool,
    owner,
    told,
    after: '',
    leaseMs: LEASE_MS,
    allocations: [],
    underWay: [],
    gateways: [owner],
  });
  const resources = { ...NO_RESOURCES, milliCpu: 1000, memoryBytes: 2 ** 30 };
  // Only the last has room, so every candidate is looked at.
  const ranked = Array.from({ length: candidates }, (_, index) => ({
    backend: `b${index}`,
    capacity: { ...NO_RESOURCES, milliCpu: index === candidates - 1 ? 1e9 : 0, memoryBytes: 2 ** 50 },
    max: 0,
  }));
  const serverBefore = await serverCpuUs();
  const clientBefore = process.cpuUsage();
  let pairs = 0;
  const startMs = performance.now();
  const worker = async (): Promise<void> => {
    while (performance.now() - startMs < MEASURED_MS) {
      const allocation = `a${pairs++}`;
      const request = {
        pool,
        allocation,
        owner,
        told,
        leaseMs: LEASE_MS,
        ttlMs: LEASE_MS,
        resources,
        candidates: ranked,
      };
      const { outcome } = await insist(() => reservations.reserve(request));
      if (outcome !== 'reserved') throw new Error(`not reserved: ${outcome}`);
      await insist(() => reservations.release(pool, owner, [allocation]));
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  const perSecond = (pairs / (performance.now() - startMs)) * 1000;
  const { user, system } = process.cpuUsage(clientBefore);
  return {
    perSecond,
    clientUs: (user + system) / pairs,
    serverUs: ((await serverCpuUs()) - serverBefore) / pairs,
  };
}

/** Processor time that the server has used so far. */
async function serverCpuUs(url: string): Promise<number> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.setEncoding('utf8').write('INFO cpu\r\n');
  const [answer] = (await once(socket, 'data')) as [string];
  socket.destroy();
  const times = answer.matchAll(/^used_cpu_(?:user|sys):([0-9.]+)/gm);
  return Array.from(times, ([, seconds]) => 1e6 * Number(seconds)).reduce((sum, us) => sum + us, 0);
}
