import type { Step } from '../plan/plan.ts';
import type { Node } from '../world/network.ts';
import type { Operator } from './operator.ts';
import type { SimulatedProcess } from './process.ts';
import type { Surroundings } from './surroundings.ts';

/** How often it is looked whether a process that was stopped has ended. */
const AGAIN_MS = 500;

/** What the steps of a plan act upon. */
export interface Stage {
  readonly around: Surroundings;
  readonly processes: ReadonlyMap<string, SimulatedProcess>;
  readonly operator: Operator;
  /** Puts another version of the file into force. */
  useFile(version: number): void;
}

/** Carries out a plan's steps and can undo all that are faults. */
export class Faults {
  readonly #stage: Stage;
  readonly #undo = new Set<() => void>();

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  carryOut({ happening }: Step): void {
    const { around, operator } = this.#stage;
    const { network, world, logServer } = around;
    if (happening.kind !== 'wish') world.note('fault', JSON.stringify(happening));
    switch (happening.kind) {
      case 'wish':
        operator.wish(happening.wish);
        break;
      case 'file':
        this.#stage.useFile(happening.version);
        break;
      case 'crash':
        this.#crash(happening.who, happening.ms);
        break;
      case 'terminate':
        this.#terminate(happening.who, happening.ms);
        break;
      case 'freeze':
        this.#nodeOf(happening.who)?.scope.freeze(happening.ms);
        break;
      case 'cut': {
        const { from, to, both, ms } = happening;
        this.#lasts(ms, network.block(from, to));
        if (both) this.#lasts(ms, network.block(to, from));
        break;
      }
      case 'slow':
        this.#lasts(happening.ms, network.slow(happening.from, happening.to, happening.byMs));
        break;
      case 'stall':
        this.#lasts(happening.ms, changed(logServer, 'stallMs', happening.byMs));
        break;
      case 'lossy':
        this.#lasts(happening.ms, changed(network, 'loss', happening.share));
        break;
      case 'twice':
        this.#lasts(happening.ms, changed(network, 'duplication', happening.share));
        break;
      case 'clock':
      case 'worker':
      case 'sluggish':
        this.#strike(happening);
        break;
      case 'backend':
        around.backends.become(happening.who, happening.condition);
        this.#lasts(happening.ms, () => around.backends.become(happening.who, 'well'));
        break;
    }
  }

  /** Everything is as it should be from now on, or soon. */
  heal(): void {
    this.#stage.around.world.note('fault', 'no more');
    for (const undo of this.#undo) undo();
    this.#undo.clear();
  }

  #strike(happening: Extract<Step['happening'], { kind: 'clock' | 'worker' | 'sluggish' }>): void {
    const process = this.#stage.processes.get(happening.who);
    if (process === undefined) return;
    if (happening.kind === 'clock') process.skewMs += happening.byMs;
    else if (happening.kind === 'sluggish')
      this.#lasts(happening.ms, changed(process, 'recordMs', happening.byMs));
    else process.workers.find(({ serving }) => serving)?.crash('it was struck');
  }

  #nodeOf(who: string): Node | undefined {
    const { logServer, storeServer } = this.#stage.around;
    return [logServer, storeServer].find(({ name }) => name === who) ?? this.#stage.processes.get(who);
  }

  #crash(who: string, ms: number): void {
    const { logServer, storeServer } = this.#stage.around;
    const process = this.#stage.processes.get(who);
    if (process !== undefined) {
      process.crash();
      this.#lasts(ms, () => process.start());
      return;
    }
    const server = who === logServer.name ? logServer : storeServer;
    if (!server.scope.alive) return;
    server.crash();
    this.#lasts(ms, () => server.start());
  }

  #terminate(who: string, ms: number): void {
    const process = this.#stage.processes.get(who);
    if (process === undefined) return;
    const { lives } = process;
    process.terminate();
    const again = (): void => {
      if (process.lives !== lives) return;
      if (process.up) this.#stage.around.world.after(AGAIN_MS, again);
      else process.start();
    };
    this.#lasts(ms, again);
  }

  /** Undoes it after so long, or when all is undone. */
  #lasts(ms: number, undo: () => void): void {
    const once = (): void => {
      if (this.#undo.delete(once)) undo();
    };
    this.#undo.add(once);
    this.#stage.around.world.after(ms, once);
  }
}

/** Sets a number and answers with what sets it back. */
function changed<K extends string>(on: Record<K, number>, name: K, value: number): () => void {
  on[name] = value;
  return () => {
    on[name] = 0;
  };
}
