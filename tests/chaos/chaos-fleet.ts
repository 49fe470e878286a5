import path from 'node:path';
import {
  type NatsServer,
  type RedisServer,
  startNatsCluster,
  startNatsServer,
  startRedisServer,
  tempDir,
} from '@usher/testing';
import { UsherProcess } from '../support/usher-process.ts';
import { until } from '../support/wait.ts';
import { ChaosBackends } from './chaos-backends.ts';
import { ChaosClient } from './chaos-client.ts';
import { type WebSetup, webConfig } from './web-config.ts';

const POLL_LIMIT_MS = 1_000;

export interface FleetSetup extends WebSetup {
  readonly nats: 'single' | 'cluster';
  readonly gateways?: number;
  /** What runs in the process of each gateway. Default: `gateway`. */
  readonly gatewayRuns?: string;
}

/** A whole system of real processes on the loopback. */
export class ChaosFleet {
  readonly nats: readonly NatsServer[];
  readonly redis: RedisServer;
  readonly backends: ChaosBackends;
  readonly config: string;
  readonly services = new Map<string, UsherProcess>();
  readonly #directory = tempDir();

  private constructor(
    nats: readonly NatsServer[],
    redis: RedisServer,
    backends: ChaosBackends,
    ports: readonly number[],
    setup: FleetSetup,
  ) {
    this.nats = nats;
    this.redis = redis;
    this.backends = backends;
    this.config = `bus: { servers: [${nats.map(({ url }) => `"${url}"`).join(', ')}] }
store: "${redis.url}"
${webConfig(ports, setup)}`;
  }

  static async start(setup: FleetSetup): Promise<ChaosFleet> {
    const nats = setup.nats === 'cluster' ? await startNatsCluster() : [await startNatsServer()];
    const redis = await startRedisServer();
    const backends = await ChaosBackends.start(setup.backends ?? 3);
    const ports = (await setup.through?.(backends.ports)) ?? backends.ports;
    const fleet = new ChaosFleet(nats, redis, backends, ports, setup);
    for (const service of ['scheduler', 'health', 'collector']) await fleet.run(service, service);
    const gateways = setup.gateways ?? 2;
    for (let each = 1; each <= gateways; each++)
      await fleet.run(`gateway-${each}`, setup.gatewayRuns ?? 'gateway');
    return fleet;
  }

  get gateways(): readonly UsherProcess[] {
    return [...this.services].filter(([name]) => name.startsWith('gateway')).map(([, each]) => each);
  }

  /** A client of all gateways, which begins when it is told to. */
  client(ratePerS: number, limitMs: number): ChaosClient {
    const gateways = this.gateways.map(({ ports }) => ({ port: ports.traffic, healthPort: ports.metrics }));
    return new ChaosClient({ gateways, ratePerS, path: '/', limitMs });
  }

  service(name: string): UsherProcess {
    const found = this.services.get(name);
    if (found === undefined) throw new Error(`the fleet has no ${name}`);
    return found;
  }

  async run(name: string, only: string): Promise<UsherProcess> {
    const directory = path.join(this.#directory.path, name);
    const started = await UsherProcess.start({ directory, config: this.config, name, only });
    this.services.set(name, started);
    return started;
  }

  /** Waits until the fleet believes that of the backends at these places. */
  async backendsAre(health: string, places: readonly number[]): Promise<void> {
    await until(`backends are ${health}`, async () => {
      const rows =
        await this.service('gateway-1').json<readonly { id: string; health: string }[]>('backends');
      return places.every((place) => rows.some((row) => row.id === `b${place}` && row.health === health));
    });
  }

  /** Resolves with how long it took until all processes were equally far, their digests being equal then. */
  async agreed(limitMs: number): Promise<number> {
    const startMs = performance.now();
    await until(
      'all digests are equal',
      async () => {
        const states = await Promise.all([...this.services.values()].map(stateOf));
        return !states.includes('') && new Set(states).size === 1;
      },
      limitMs,
    ).catch(() => {});
    const tookMs = performance.now() - startMs;
    return tookMs > limitMs ? Number.NaN : tookMs;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.services.values()].map((each) => each.kill9()));
    await Promise.all([...this.nats, this.redis, this.backends].map((each) => each.stop()));
    this.#directory.remove();
  }
}

/** Position and digest; empty when it does not answer. */
async function stateOf({ admin }: UsherProcess): Promise<string> {
  try {
    const response = await fetch(`${admin}/v1/status`, { signal: AbortSignal.timeout(POLL_LIMIT_MS) });
    const { position, digest } = (await response.json()) as { position: number; digest: string };
    return `${position} ${digest}`;
  } catch {
    return '';
  }
}
