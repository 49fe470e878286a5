import { NO_RESOURCES } from '@usher/domain';
import type { RouteRequest } from '@usher/events';
import { MemoryEventLog, RecordingLog, SimulatedClock, seededRandom } from '@usher/testing';
import type { FastifyInstance } from 'fastify';
import { createOpsenApp, type OpsenServerOptions } from '../opsen/opsen-server.ts';
import { TestFleet } from './test-fleet.ts';

export const CLIENT = {
  client_id: 'gpu-1',
  hostname: 'gpu-1.example.com',
  public_ip: '203.0.113.7',
  local_ip: '10.0.0.1',
  latitude: 48.85,
  longitude: 2.35,
  country: 'France',
  city: 'Paris',
  total_cpu: 8,
  total_memory_gb: 32,
  total_storage_gb: 100,
  total_gpus: 1,
  gpu_models: ['H100'],
};
export const REPORT = {
  client_id: 'gpu-1',
  hostname: 'gpu-1.example.com',
  timestamp: '2026-01-01T00:00:00Z',
  cpu_cores: 2,
  cpu_usage_avg: [12.34, 100.2],
  memory_total_gb: 32,
  memory_used_gb: 8.5,
  memory_avail_gb: 23.5,
  disk_total_gb: 100,
  disk_used_gb: 40,
  disk_avail_gb: 60,
  gpus: [
    {
      device_id: 0,
      name: 'H100',
      utilization_pct: 45.5,
      memory_used_gb: 32.5,
      memory_total_gb: 80,
      temperature_c: 65,
      power_draw_w: 250,
    },
  ],
  latitude: 48.85,
  longitude: 2.35,
  country: 'France',
  city: 'Paris',
};

/** The API for the clients of Opsen, with a fleet in memory behind it, whose pool `infer` has the tier `lite`. */
export class OpsenRig {
  readonly fleet: TestFleet;
  /** What gateways were asked. */
  readonly asked: unknown[] = [];
  #app: FastifyInstance | undefined;

  private constructor() {
    const clock = new SimulatedClock();
    const events = new MemoryEventLog(clock);
    this.fleet = new TestFleet({ clock, events, random: seededRandom(7), log: new RecordingLog() });
    this.fleet.addPool('infer', [{ name: 'lite', resources: NO_RESOURCES }]);
    this.fleet.decide = async (command) => {
      if (command.name === 'backend.announce') {
        const { id, ...settings } = command.data.settings;
        this.fleet.register(id, settings, 'agent');
      } else if (command.name === 'backend.withdraw') this.fleet.remove(command.data.backend);
      return { ok: true, position: this.fleet.fold.position, events: [], repeated: false };
    };
    this.fleet.route = async (payload) => {
      this.asked.push((JSON.parse(payload) as RouteRequest).question);
      return JSON.stringify({
        ok: true,
        answer: { chosen: 'gpu-1', url: 'http://10.0.0.1:11000', from: null },
      });
    };
  }

  static async start(changes: Partial<OpsenServerOptions> = {}): Promise<OpsenRig> {
    const rig = new OpsenRig();
    await rig.#open(changes);
    return rig;
  }

  /** As after a restart: what is in memory alone is gone. */
  async restart(changes: Partial<OpsenServerOptions> = {}): Promise<void> {
    await this.stop();
    await this.#open(changes);
  }

  async #open(changes: Partial<OpsenServerOptions>): Promise<void> {
    const names = ['gpu.example.com', '*.farm.example.com'];
    const endpoints = { networks: ['10.0.0.0/8', 'fd00::/8'], names };
    const options = {
      host: '127.0.0.1',
      port: 0,
      pool: 'infer',
      keys: ['secret'],
      endpoints,
      staleAfterMs: 300_000,
      ...changes,
    };
    this.#app = createOpsenApp(options, this.fleet.context(), await this.fleet.start());
  }

  get app(): FastifyInstance {
    if (this.#app === undefined) throw new Error('the API has not been started');
    return this.#app;
  }

  /** A call with a good key, unless `headers` has another; answers with the status and the body. */
  async call(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    url: string,
    payload?: unknown,
    headers: Record<string, string> = {},
  ): Promise<readonly [number, unknown]> {
    const sent = typeof payload === 'string' ? payload : JSON.stringify(payload);
    const given = { 'x-api-key': 'secret', 'content-type': 'application/json', ...headers };
    const body = payload === undefined ? {} : { payload: sent };
    const answer = await this.app.inject({ method, url, headers: given, ...body });
    return [answer.statusCode, /^[{[]/.test(answer.body) ? answer.json<unknown>() : answer.body];
  }

  async stop(): Promise<void> {
    await this.#app?.close();
    await this.fleet.stop();
  }
}
