import type { StateStore } from '@usher/ports';
import { openEmbeddedStore } from '@usher/state-store';
import type { Chance } from '../world/chance.ts';
import { ProcessClock, Scope } from '../world/scope.ts';
import type { World } from '../world/world.ts';

/** The state store that all processes share, as a server: it begins empty whenever it is started. */
export class StoreServer {
  readonly name = 'redis';
  scope: Scope;
  incarnation = 1;
  inner: StateStore;
  /** Changes what each start of it does. */
  readonly #wrap: (store: StateStore) => StateStore;
  readonly #world: World;
  readonly #skewMs: number;

  constructor(world: World, chance: Chance, wrap: (store: StateStore) => StateStore = (store) => store) {
    this.#world = world;
    this.#wrap = wrap;
    this.#skewMs = chance.between(-500, 500);
    this.scope = new Scope(world);
    this.inner = this.#open();
  }

  crash(): void {
    this.scope.kill();
    this.#world.note(this.name, 'crashed');
  }

  start(): void {
    this.incarnation += 1;
    this.scope = new Scope(this.#world);
    this.inner = this.#open();
    this.#world.note(this.name, 'started empty');
  }

  #open(): StateStore {
    const clock = new ProcessClock(this.scope, () => this.#skewMs);
    // Redis knows one time only, which whoever sets the clock of its machine changes.
    const wall = {
      now: () => clock.now(),
      steady: () => clock.now(),
      after: clock.after.bind(clock),
      every: clock.every.bind(clock),
    };
    return this.#wrap(openEmbeddedStore({ clock: wall }));
  }
}
