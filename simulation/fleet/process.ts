import { FleetFold } from '@usher/actors';
import { startCollector } from '@usher/collector';
import { startGateway } from '@usher/gateway';
import { startHealth } from '@usher/health';
import type { Service, ServiceContext } from '@usher/ports';
import { Scheduler } from '@usher/scheduler';
import type { StartWorker } from '../../services/gateway/src/control/worker-thread.ts';
import type { ServiceName } from '../mutations/tampering.ts';
import { SimulatedWorker } from '../parts/gateway-worker.ts';
import type { Chance } from '../world/chance.ts';
import type { Node } from '../world/network.ts';
import { ProcessClock, Scope } from '../world/scope.ts';
import { type Core, type Life, openCore } from './core.ts';
import type { Surroundings } from './surroundings.ts';

const SKEW_MAX_MS = 500;
const WORKERS_MAX = 2;
const nowhere = () => Promise.reject(new Error('a simulated fleet has neither name servers nor files'));
/** No pool of a simulated fleet has its backends found. */
const NOTHING_TO_FIND = {
  resolver: { addresses: nowhere, services: nowhere },
  files: { read: nowhere, watch: () => ({ stop: () => undefined }) },
};

/** A process of the fleet, which can be started, crash, freeze and be started again. */
export class SimulatedProcess implements Node {
  readonly name: string;
  readonly services: readonly ServiceName[];
  scope: Scope;
  /** Of this life, or of the last one. */
  fold = new FleetFold();
  workers: SimulatedWorker[] = [];
  scheduler: Scheduler | undefined;
  /** Its clock is off by this. */
  skewMs: number;
  /** How long it takes over each record of the log. */
  recordMs = 0;
  up = false;
  readonly #around: Surroundings;
  readonly #chance: Chance;
  readonly #workerCount: number;
  #lives = 0;
  #running: Service[] = [];
  #core: Core | undefined;

  constructor(name: string, services: readonly ServiceName[], around: Surroundings, chance: Chance) {
    this.name = name;
    this.services = services;
    this.#around = around;
    this.#chance = chance;
    this.#workerCount = 1 + chance.below(WORKERS_MAX);
    this.skewMs = Math.round(chance.between(-SKEW_MAX_MS, SKEW_MAX_MS));
    this.scope = new Scope(around.world);
  }

  /** Names this life of it. */
  get life(): string {
    return `${this.name}#${this.#lives}`;
  }

  get lives(): number {
    return this.#lives;
  }

  /** Neither it nor one of its workers ever ended. */
  get unbroken(): boolean {
    return this.#lives === 1 && this.workers.every(({ serving }) => serving);
  }

  /** Begins a life with nothing in memory. */
  start(): void {
    if (this.up) return;
    this.up = true;
    this.#lives += 1;
    this.scope = new Scope(this.#around.world);
    this.#around.world.note(this.life, 'starts');
    this.#boot().catch((error: unknown) => this.#failed('it could not start', error));
  }

  /** As by `kill -9`. */
  crash(): void {
    if (this.up) this.#end('crashes');
  }

  /** As by SIGTERM: ends by itself, some time later. */
  terminate(): void {
    if (!this.up) return;
    this.#around.world.note(this.life, 'is stopped');
    const { scope } = this;
    this.#stop(scope).catch((error: unknown) => this.#failed('it could not stop', error));
  }

  #end(how: string): void {
    this.#around.world.note(this.life, how);
    this.up = false;
    this.scheduler = undefined;
    this.#running = [];
    this.#core = undefined;
    this.scope.kill();
    this.workers = [];
  }

  async #stop(scope: Scope): Promise<void> {
    for (const service of this.#running.toReversed()) await service.stop();
    await this.#core?.close();
    if (scope.alive) this.#end('has stopped');
  }

  #failed(what: string, error: unknown): void {
    const { stack = String(error) } = error as Error;
    this.#around.findings.report('nothing fails inside', `${this.life}: ${what}: ${stack}`);
  }

  async #boot(): Promise<void> {
    const clock = new ProcessClock(this.scope, () => this.skewMs);
    const life: Life = {
      node: { name: this.name, scope: this.scope },
      clock,
      name: this.life,
      seed: this.#chance.seedOf(this.life),
      recordMs: () => this.recordMs,
    };
    const core = await openCore(life, this.#around);
    this.#core = core;
    this.fold = core.fold;
    const running = this.#running;
    const seenBy = (service: ServiceName): ServiceContext | undefined => {
      if (!this.services.includes(service)) return undefined;
      const fleet = this.#around.tampering.fleet?.(core.fold, service) ?? core.fold;
      return { ...core.context, fleet };
    };
    const collecting = seenBy('collector');
    if (collecting !== undefined) running.push(startCollector(collecting));
    const scheduling = seenBy('scheduler');
    if (scheduling !== undefined) {
      const scheduler = new Scheduler(scheduling, {
        declared: this.#around.declared(),
        snapshot: () => core.fold.snapshot(),
        discovery: NOTHING_TO_FIND,
        own: [],
      });
      this.scheduler = scheduler;
      running.push(scheduler);
      await scheduler.start();
    }
    const probing = seenBy('health');
    if (probing !== undefined) {
      const prober = this.#around.backends.prober(life.node);
      running.push(startHealth(probing, { prober: this.#around.tampering.prober?.(prober) ?? prober }));
    }
    const serving = seenBy('gateway');
    if (serving !== undefined) running.push(await this.#startGateway(serving, life));
  }

  #startGateway(context: ServiceContext, life: Life): Promise<Service> {
    const { tampering } = this.#around;
    const { shared } = this.#around.declared();
    const settings = { listen: [], workers: this.#workerCount };
    const { workers } = this;
    const startWorker: StartWorker = (_name, start, onMessage) => {
      const tell: typeof onMessage = (message) => {
        const told = tampering.worker === undefined ? message : tampering.worker(message);
        if (told !== undefined) onMessage(told);
      };
      const worker = new SimulatedWorker(start, tell, { ...this.#around, ...life, life: life.name });
      workers.push(worker);
      return worker;
    };
    return startGateway(context, settings, shared, { startWorker });
  }
}
