import type { DeclaredConfig } from '@usher/scheduler';
import { checkBreakers } from './checks/breaker-oracle.ts';
import { Choices } from './checks/choices.ts';
import { checkDrains } from './checks/drain-oracle.ts';
import { type Finding, Findings } from './checks/findings.ts';
import {
  checkCommands,
  checkFacts,
  checkHealth,
  checkLeaders,
  checkOnce,
  checkReplay,
  checkReservations,
  checkWriters,
  historyOf,
} from './checks/history.ts';
import { Ledger } from './checks/ledger.ts';
import { checkQuiet, type QuietFleet } from './checks/quiet.ts';
import { watchStore } from './checks/store-watch.ts';
import { startAgents } from './fleet/agents.ts';
import { FleetClient } from './fleet/client.ts';
import { Faults } from './fleet/faults.ts';
import { Operator } from './fleet/operator.ts';
import { SimulatedProcess } from './fleet/process.ts';
import { capacities } from './fleet/settings.ts';
import type { Surroundings } from './fleet/surroundings.ts';
import { Traffic } from './fleet/traffic.ts';
import type { Tampering } from './mutations/tampering.ts';
import { Backends } from './parts/backends.ts';
import { BusHub } from './parts/bus.ts';
import { LogDisk } from './parts/log-disk.ts';
import { LogServer } from './parts/log-server.ts';
import { StoreServer } from './parts/store-server.ts';
import { drawPlan, type Plan } from './plan/plan.ts';
import { Chance } from './world/chance.ts';
import { Network } from './world/network.ts';
import { Trace } from './world/trace.ts';
import { simulateTurns } from './world/turns.ts';
import { World } from './world/world.ts';

/** After the last fault requests go on for so long, and breakers can close. */
const TRAFFIC_AFTER_MS = 12_000;
/** Then it is looked again and again whether all is as it must be, for so long. */
const QUIET_MAX_MS = 90_000;
const LOOK_EVERY_MS = 3_000;
/** When somebody wants one more thing of a fleet that should be well. */
const LAST_WISH_MS = 5_000;

export interface RunOptions {
  /** Steps of the plan that are carried out; absent = all. */
  readonly keep?: ReadonlySet<number> | undefined;
  readonly tampering?: Tampering | undefined;
  readonly print?: ((line: string) => void) | undefined;
}

export interface RunResult {
  readonly seed: number;
  readonly plan: Plan;
  /** What did not hold. */
  readonly finding: Finding | undefined;
  /** Of everything that happened. */
  readonly digest: string;
  readonly lastLines: readonly string[];
  readonly simulatedMs: number;
  readonly records: number;
  readonly answered: number;
}

/** Simulates one fleet under one plan and checks what must hold. */
export async function run(seed: number, options: RunOptions = {}): Promise<RunResult> {
  const simulation = new Simulation(seed, options);
  await simulation.run();
  return simulation.result();
}

class Simulation {
  readonly #seed: number;
  readonly #plan: Plan;
  readonly #options: RunOptions;
  readonly #world: World;
  readonly #around: Surroundings;
  readonly #processes: readonly SimulatedProcess[];
  readonly #operator: Operator;
  readonly #faults: Faults;
  readonly #traffic: Traffic;
  #file: DeclaredConfig;
  /** By position and backend of each drain's end, the gateways that had something under way there. */
  readonly #busy = new Map<string, readonly string[]>();

  constructor(seed: number, options: RunOptions) {
    const chance = new Chance(seed);
    const plan = drawPlan(chance.fork('plan'));
    const world = new World(new Trace(options.print));
    this.#seed = seed;
    this.#plan = plan;
    this.#options = options;
    this.#world = world;
    this.#file = { shared: plan.settings.files[0]!, hash: 'file-0' };
    this.#around = this.#surroundings(chance, plan);
    this.#processes = [...plan.processes].map(
      ([name, services]) => new SimulatedProcess(name, services, this.#around, chance.fork(name)),
    );
    const byName = new Map(this.#processes.map((process) => [process.name, process]));
    this.#operator = new Operator(
      new FleetClient('operator', this.#around),
      world,
      chance.fork('operator'),
      this.#around.findings,
    );
    const stage = {
      around: this.#around,
      processes: byName,
      operator: this.#operator,
      useFile: (version: number) => this.#useFile(version),
    };
    this.#faults = new Faults(stage);
    startAgents(new FleetClient('agents', this.#around), plan.settings.infer, chance.fork('agents'));
    const gateways = this.#processes.filter(({ services }) => services.includes('gateway'));
    this.#traffic = new Traffic(world, chance.fork('clients'), gateways, plan.requestsPerSecond);
  }

  async run(): Promise<void> {
    const world = this.#world;
    const failed = (error: unknown): void => {
      const { stack = String(error) } = error as Error;
      this.#around.findings.report('nothing fails inside', `nobody took: ${stack}`);
    };
    process.on('unhandledRejection', failed);
    const realTurns = simulateTurns();
    try {
      for (const each of this.#processes) each.start();
      for (const step of this.#plan.steps)
        if (this.#options.keep?.has(step.id) ?? true)
          world.at(world.startMs + step.atMs, () => this.#faults.carryOut(step));
      await world.pass(this.#plan.unrestMs);
      this.#faults.heal();
      world.after(LAST_WISH_MS, () => {
        this.#operator.wish({ name: 'backend.enable', data: { backend: this.#plan.settings.web[0]! } });
      });
      await world.pass(TRAFFIC_AFTER_MS);
      this.#traffic.stop();
      await this.#becomeQuiet();
      await this.#checkHistory();
    } finally {
      realTurns();
      process.off('unhandledRejection', failed);
    }
  }

  result(): RunResult {
    const { findings, logServer, ledger } = this.#around;
    return {
      seed: this.#seed,
      plan: this.#plan,
      finding: findings.first,
      digest: this.#world.trace.digest(),
      lastLines: this.#world.trace.last,
      simulatedMs: this.#world.elapsedMs,
      records: logServer.disk.durable,
      answered: ledger.answered,
    };
  }

  #surroundings(chance: Chance, { settings }: Plan): Surroundings {
    const world = this.#world;
    const tampering = this.#options.tampering ?? {};
    const findings = new Findings(world);
    const network = new Network(world, chance.fork('network'));
    const has = capacities(settings);
    const ledger = new Ledger(findings, () => world.nowMs, has, settings.withoutStore === 'closed');
    const disk = tampering.disk?.() ?? new LogDisk();
    const logServer = new LogServer(world, network, chance.fork('log'), disk, (position, { events }) => {
      for (const { type, data } of events)
        if (type === 'backend.drained')
          this.#busy.set(`${position} ${data.backend}`, this.#busyOn(data.backend));
    });
    const storeServer = new StoreServer(world, chance.fork('store'), (store) =>
      watchStore(tampering.store?.(store) ?? store, ledger, findings, has),
    );
    return {
      world,
      network,
      logServer,
      storeServer,
      hub: new BusHub(network, logServer, chance.fork('bus')),
      backends: new Backends(world, network, chance.fork('backends'), settings.infer),
      ledger,
      findings,
      choices: new Choices(disk, findings, settings.files[0]!.pools),
      tampering,
      declared: () => this.#file,
    };
  }

  /** Gateways that go by the log and have something under way on a backend. */
  #busyOn(backend: string): readonly string[] {
    const lives = new Set(this.#around.ledger.on(backend).map(({ life }) => life));
    return this.#processes
      .filter(({ life, fold }) => lives.has(life) && fold.state.config !== null)
      .map(({ name }) => name);
  }

  #useFile(version: number): void {
    this.#file = { shared: this.#plan.settings.files[version]!, hash: `file-${version}` };
    for (const { scheduler, scope } of this.#processes)
      if (scheduler !== undefined) scope.enter(() => scheduler.declare(this.#file));
  }

  get #fleet(): QuietFleet {
    const { logServer, storeServer, ledger } = this.#around;
    return {
      processes: this.#processes,
      operator: this.#operator,
      disk: logServer.disk,
      storeServer,
      ledger,
      reservingPools: ['infer'],
    };
  }

  async #becomeQuiet(): Promise<void> {
    const { findings } = this.#around;
    for (let waitedMs = 0; findings.first === undefined; waitedMs += LOOK_EVERY_MS) {
      await this.#world.pass(LOOK_EVERY_MS);
      const { value } = await checkQuiet(this.#fleet).next();
      if (value === undefined) return;
      if (waitedMs < QUIET_MAX_MS) continue;
      // What the log says goes deeper.
      await this.#checkHistory();
      findings.report(value.invariant, value.detail);
    }
  }

  async #checkHistory(): Promise<void> {
    const { logServer, ledger, findings, backends } = this.#around;
    if (findings.first !== undefined) return;
    const history = historyOf(logServer.disk);
    const whole = new Set(this.#processes.filter(({ unbroken }) => unbroken).map(({ name }) => name));
    const checks = [
      checkCommands(history, this.#operator.issued),
      checkLeaders(history, logServer.disk),
      checkWriters(history),
      checkOnce(history),
      checkReplay(history, this.#processes[0]!.fold.digest()),
      checkBreakers(history),
      checkDrains(history, this.#busy),
      checkFacts(history, ledger.ended, whole),
      checkHealth(history, backends.answeredProbes),
      checkReservations(history),
    ];
    for (const check of checks) for (const { invariant, detail } of check) findings.report(invariant, detail);
  }
}
