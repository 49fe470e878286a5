import type { Chance } from '../world/chance.ts';
import type { World } from '../world/world.ts';
import type { SimulatedProcess } from './process.ts';

/** Clients: they come by chance, each to some gateway that takes requests. */
export class Traffic {
  readonly #world: World;
  readonly #chance: Chance;
  readonly #gateways: readonly SimulatedProcess[];
  /** Share of the requests that reserve. */
  readonly #inferShare: number;
  #perSecond: number;

  constructor(world: World, chance: Chance, gateways: readonly SimulatedProcess[], perSecond: number) {
    this.#world = world;
    this.#chance = chance;
    this.#gateways = gateways;
    this.#perSecond = perSecond;
    this.#inferShare = chance.between(0.2, 0.7);
    this.#next();
  }

  stop(): void {
    this.#perSecond = 0;
  }

  #next(): void {
    if (this.#perSecond === 0) return;
    this.#world.after(this.#chance.exponential(1_000 / this.#perSecond), () => {
      if (this.#perSecond === 0) return;
      this.#request();
      this.#next();
    });
  }

  #request(): void {
    const gateway = this.#chance.pick(this.#gateways);
    const serving = gateway.workers.filter((worker) => worker.serving);
    const [dice, tier, key] = [this.#chance.next(), this.#chance.below(2), this.#chance.below(2 ** 32)];
    if (serving.length === 0) return;
    const worker = serving[key % serving.length]!;
    const reserving = dice < this.#inferShare;
    gateway.scope.enter(() => {
      if (worker.serving) worker.request(reserving ? '/infer/x' : '/x', reserving ? tier : 0, key);
    });
  }
}
