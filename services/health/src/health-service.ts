import { BackendActors } from '@usher/actors';
import type { UsherEvent } from '@usher/events';
import type { LogRecord, Service, ServiceContext, Subscription } from '@usher/ports';
import { Announcer, type Finding, healthSource } from './announcer.ts';
import { BackendMonitor, type MonitorPorts } from './backend-monitor.ts';
import { registerHealthMetrics } from './health-metrics.ts';
import { nextHealth } from './health-rules.ts';
import { HealthyPools } from './healthy-pools.ts';
import { LatencyReporter } from './latency-reporter.ts';
import { createNetworkProber } from './network-prober.ts';
import { ProbeDuty } from './probe-duty.ts';
import { probePlan, samePlan } from './probe-plan.ts';
import { ProbeSlots } from './probe-slots.ts';
import type { Prober } from './prober.ts';
import { RecoveryReporter } from './recovery-reporter.ts';

/** However many backends there are, no more are asked at a time: probing must not starve what else the process does. */
const PROBES_IN_FLIGHT_MAX = 512;

export interface HealthOptions {
  /** Default: real sockets. */
  readonly prober?: Prober;
}

/** Starts the service that probes every backend of the fleet and writes what becomes of their health to the log. */
export function startHealth(context: ServiceContext, options: HealthOptions = {}): Service {
  return new HealthService(context, options.prober ?? createNetworkProber());
}

class HealthService implements Service {
  readonly name = 'health';
  readonly #context: ServiceContext;
  readonly #actors: BackendActors;
  readonly #announcer: Announcer;
  readonly #latency: LatencyReporter;
  readonly #recoveries: RecoveryReporter;
  readonly #duty: ProbeDuty;
  readonly #ports: MonitorPorts;
  readonly #subscription: Subscription;
  readonly #monitors = new Map<string, BackendMonitor>();
  readonly #pools: HealthyPools;

  constructor(context: ServiceContext, prober: Prober) {
    this.#context = context;
    // Before our own subscription: the actors must know a record when it is acted upon.
    this.#actors = new BackendActors(context.fleet);
    this.#pools = new HealthyPools(context.fleet);
    this.#announcer = new Announcer(context, this.#actors, (backend) => this.#finding(backend));
    this.#latency = new LatencyReporter(context);
    this.#recoveries = new RecoveryReporter(context);
    this.#ports = {
      clock: context.clock,
      random: context.random,
      prober,
      slots: new ProbeSlots(PROBES_IN_FLIGHT_MAX),
      health: (backend) => this.#healthOf(backend),
      sure: () => this.#duty.sure,
      alone: (pool) => !this.#pools.has(pool),
      probed: ({ plan }, result) => {
        if (result.ok) this.#latency.note(plan.backend, result.latencyMs);
        this.#recoveries.note(plan.backend, result.ok, plan.timing.rise);
        this.#announcer.consider(plan.backend);
      },
    };
    this.#subscription = context.fleet.onRecord((record) => this.#follow(record));
    this.#duty = new ProbeDuty(context, (acting) => this.#act(acting));
    registerHealthMetrics(context, this.#monitors, () => this.#duty.acting);
    this.#duty.start();
  }

  fault(): string | undefined {
    const { unconfirmed } = this.#announcer;
    if (unconfirmed > 0)
      return `The event log does not take changes of health; ${unconfirmed} to be written when it does.`;
    if (this.#duty.storeFault !== undefined)
      return 'The state store cannot be asked whose turn it is to probe; this process goes by what it knew.';
    return undefined;
  }

  async stop(): Promise<void> {
    this.#subscription.stop();
    await this.#duty.stop();
    await this.#announcer.idle();
    this.#actors.stop();
  }

  #act(acting: boolean): void {
    if (acting) for (const backend of this.#context.fleet.state.backends.keys()) this.#reconcile(backend);
    else for (const backend of this.#monitors.keys()) this.#drop(backend);
  }

  #follow({ events }: LogRecord): void {
    for (const event of events) this.#recoveries.follow(event);
    this.#pools.follow(events);
    if (!this.#duty.acting) return;
    for (const event of events) this.#followEvent(event);
  }

  #followEvent({ type, data, source }: UsherEvent): void {
    if (type === 'backend.registered') this.#reconcile(data.settings.id, true);
    else if (type === 'backend.updated') this.#reconcile(data.settings.id, data.health !== undefined);
    else if (type === 'backend.removed') this.#reconcile(data.backend);
    else if (type === 'pool.added' || type === 'pool.updated') this.#reconcilePool(data.settings.id);
    else if (type === 'pool.removed') this.#reconcilePool(data.pool);
    else if (type === 'backend.became_healthy' || type === 'backend.became_unhealthy') {
      // Another prober's finding is as good as ours: only later probes may contradict it. Otherwise two that see
      // different things would contradict each other as fast as the log takes it.
      if (source !== healthSource(this.#context)) this.#monitors.get(data.backend)?.forget();
      this.#announcer.consider(data.backend);
    }
  }

  #reconcilePool(pool: string): void {
    for (const [id, { settings }] of this.#context.fleet.state.backends) {
      if (settings.pool === pool) this.#reconcile(id);
    }
  }

  /** Brings a backend's monitor in line with the fold. `anew`: what was found so far is void even if the plan is the same. */
  #reconcile(backend: string, anew = false): void {
    const plan = probePlan(this.#context.fleet.state, backend);
    const monitor = this.#monitors.get(backend);
    if (plan === undefined) this.#drop(backend);
    else if (monitor === undefined) this.#monitors.set(backend, new BackendMonitor(this.#ports, plan));
    else if (anew || !samePlan(monitor.plan, plan)) monitor.replan(plan);
  }

  #drop(backend: string): void {
    this.#monitors.get(backend)?.stop();
    this.#monitors.delete(backend);
    this.#latency.forget(backend);
    // There is nothing to be written about it any more: lets the announcer see that.
    this.#announcer.consider(backend);
  }

  /** What the probes say that the log does not. */
  #finding(backend: string): Finding | undefined {
    const monitor = this.#monitors.get(backend);
    if (monitor === undefined) return undefined;
    const { counts, plan, lastFailure } = monitor;
    const health = this.#healthOf(backend);
    const alone = health === 'unhealthy' && !this.#pools.has(plan.pool);
    const next = nextHealth(health, counts, plan.timing, alone);
    if (next === 'healthy') return { type: 'probes.succeeded', cause: inARow(counts.successes, 'succeeded') };
    if (next === 'unhealthy')
      return { type: 'probes.failed', cause: `${inARow(counts.failures, 'failed')}: ${lastFailure}` };
    return undefined;
  }

  #healthOf(backend: string) {
    return this.#context.fleet.state.backends.get(backend)?.health ?? 'unchecked';
  }
}

function inARow(count: number, outcome: string): string {
  return count === 1 ? `a probe ${outcome}` : `${count} probes in a row ${outcome}`;
}
