import type { AttemptOutcome } from '../../services/gateway/src/routing-table.ts';
import type { ProbeResult, Prober, ProbeTarget } from '../../services/health/src/index.ts';
import type { Chance } from '../world/chance.ts';
import type { Network, Node } from '../world/network.ts';
import type { World } from '../world/world.ts';

/** How a backend is. `failing` answers its probes and most requests with errors. */
export type Condition = 'well' | 'refusing' | 'hanging' | 'failing' | 'slow';

const CONNECT_TIMEOUT_MS = 500;
const RESPONSE_TIMEOUT_MS = 2_000;
const SERVICE_MEAN_MS = 30;
/** Of backends whose resources are reserved, so that they are often full. */
const LONG_SERVICE_MEAN_MS = 700;
const SLOW_FACTOR = 20;
const SERVICE_MAX_MS = 1_500;
const FAILING_SHARE = 0.9;

interface Machine {
  condition: Condition;
  /** Counts how often it was killed: what it had under way is gone. */
  life: number;
}

/** The machines behind the fleet, as they really are. */
export class Backends {
  readonly #world: World;
  readonly #network: Network;
  readonly #chance: Chance;
  readonly #machines = new Map<string, Machine>();
  /** Backends that answered a probe, by id. */
  readonly answeredProbes = new Set<string>();

  readonly #long: ReadonlySet<string>;

  /** `long`: those whose requests take long. */
  constructor(world: World, network: Network, chance: Chance, long: readonly string[]) {
    this.#long = new Set(long);
    this.#world = world;
    this.#network = network;
    this.#chance = chance;
  }

  conditionOf(id: string): Condition {
    return this.#machineOf(id).condition;
  }

  become(id: string, condition: Condition): void {
    const machine = this.#machineOf(id);
    if (condition === 'refusing') machine.life += 1;
    machine.condition = condition;
    this.#world.note(id, condition);
  }

  /** One attempt of a request; tells how it ended, once. */
  attempt(from: Node, id: string, done: (outcome: AttemptOutcome) => void): void {
    const machine = this.#machineOf(id);
    const { life } = machine;
    const { outcome, ms } = this.#fate(from.name, id, machine);
    from.scope.after(ms, () => done(machine.life === life || outcome !== 'ok' ? outcome : 'backend_closed'));
  }

  /** What a prober on a node sees. */
  prober(node: Node): Prober {
    return {
      probe: (target, timeoutMs, signal) => this.#probe(node, target, timeoutMs, signal),
    };
  }

  #fate(from: string, id: string, { condition }: Machine): { outcome: AttemptOutcome; ms: number } {
    const wayMs = this.#network.delayMs(from, id) + this.#network.delayMs(id, from);
    if (this.#cutOff(from, id)) return { outcome: 'connect_timeout', ms: CONNECT_TIMEOUT_MS };
    if (condition === 'refusing') return { outcome: 'connect_failed', ms: wayMs };
    if (condition === 'hanging') return { outcome: 'response_timeout', ms: RESPONSE_TIMEOUT_MS };
    const meanMs = this.#long.has(id) ? LONG_SERVICE_MEAN_MS : SERVICE_MEAN_MS;
    const serviceMs = this.#chance.exponential(meanMs) * (condition === 'slow' ? SLOW_FACTOR : 1);
    const ms = wayMs + Math.min(serviceMs, SERVICE_MAX_MS);
    const fails = condition === 'failing' && this.#chance.happens(FAILING_SHARE);
    return { outcome: fails ? 'server_error' : 'ok', ms };
  }

  async #probe(
    node: Node,
    target: ProbeTarget,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<ProbeResult> {
    const id = backendAt(target.host);
    const { condition } = this.#machineOf(id);
    const cutOff = this.#cutOff(node.name, id);
    const silent = cutOff || condition === 'hanging';
    const latencyMs = this.#network.delayMs(node.name, id) + this.#network.delayMs(id, node.name);
    const { promise, resolve } = Promise.withResolvers<void>();
    node.scope.after(silent ? timeoutMs : Math.min(latencyMs, timeoutMs), resolve);
    signal.addEventListener('abort', () => resolve());
    await promise;
    const ok = !silent && condition !== 'refusing' && latencyMs < timeoutMs && !signal.aborted;
    if (ok) this.answeredProbes.add(id);
    this.#world.note(node.name, `probe of ${id} ${ok ? 'ok' : 'failed'}`);
    if (ok) return { ok, latencyMs };
    return { ok: false, timedOut: silent, cause: silent ? 'no answer' : 'connection refused' };
  }

  #cutOff(from: string, id: string): boolean {
    return this.#network.isBlocked(from, id) || this.#network.isBlocked(id, from);
  }

  #machineOf(id: string): Machine {
    let machine = this.#machines.get(id);
    if (machine === undefined) this.#machines.set(id, (machine = { condition: 'well', life: 0 }));
    return machine;
  }
}

/** Backend `b3` has the address 10.0.0.3. */
export function urlOf(id: string): string {
  return `http://10.0.0.${id.slice(1)}:80`;
}

function backendAt(host: string): string {
  return `b${host.split('.')[3]}`;
}
