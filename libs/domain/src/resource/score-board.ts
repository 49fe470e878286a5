import { arcKm, EARTH_RADIUS_KM, meanPoint, type SpherePoint } from './place.ts';
import { BLOCK_ROWS, type PlaceBlocks, placeBlocks, UNPLACED } from './place-blocks.ts';

/**
 * Backends whose scores are this close are as good as each other and share by weight: were the best of them to take
 * everything until its next report, every gateway would run to it at once.
 */
export const NEAR_POINTS = 5;

/** Weights in whole units: sums of them are the same in any order, so a share does not depend on how it was summed. */
export function weightUnits(weight: number): number {
  return Math.max(1, Math.round(weight * 1e6));
}

/** The place of a chance among so many units of weight. */
export function unitAt(chance: number, total: number): number {
  return Math.floor(chance * total);
}

/** Arcs to a ball are rounded otherwise than those to a point, most of all on the far side of the Earth. */
const ROUNDING_KM = 0.01;
const NOWHERE: SpherePoint = { x: 0, y: 0, z: 0 };

/**
 * The scores of a table's rows as flat numbers, and the choice among them. A score is what is known of the row by
 * itself, its base, and its distance from the client. Whole blocks of rows are left out when none of them can be near
 * the best, and counted as one when all of them are.
 */
export class ScoreBoard {
  readonly #blocks: PlaceBlocks;
  readonly #perKm: number;
  /** Mean of the places, where some rows have one and some have not. */
  readonly #mean: SpherePoint | undefined;
  /** By tier and slot; infinite where the row does not fit. */
  readonly #base: readonly Float64Array[];
  readonly #units: Float64Array;
  /** By tier and block, over the rows that fit: the least and the largest base, and the sum of units. */
  readonly #least: readonly Float64Array[];
  readonly #largest: readonly Float64Array[];
  readonly #sums: readonly Float64Array[];
  // What follows is scratch of the decision under way.
  /** By slot, where the block was looked into: the score, or infinite where it was plain that it is not near. */
  readonly #score: Float64Array;
  /** By block: a score that none of its rows is below, the units of its near rows, and when it was last looked into. */
  readonly #bound: Float64Array;
  readonly #near: Float64Array;
  readonly #lookedInto: Float64Array;
  #decision = 0;
  /** The least score so far; an array, because a number that changes would be an object of its own. */
  readonly #best = new Float64Array(1);
  /** How far rows without a place count: the square of the straight line, and the arc in kilometres. */
  readonly #unplaced = new Float64Array(2);

  /** All rows get infinite bases. `perKm` is what a kilometre counts. */
  constructor(points: readonly (SpherePoint | undefined)[], tiers: number, perKm: number) {
    this.#blocks = placeBlocks(points);
    this.#perKm = perKm;
    this.#mean = points.includes(undefined) ? meanPoint(points) : undefined;
    const [slots, blocks] = [points.length, this.#blocks.count];
    const byTier = (length: number) => Array.from({ length: tiers }, () => new Float64Array(length));
    this.#base = byTier(slots);
    this.#units = new Float64Array(slots);
    this.#least = byTier(blocks);
    this.#largest = byTier(blocks);
    this.#sums = byTier(blocks);
    this.#score = new Float64Array(slots);
    this.#bound = new Float64Array(blocks);
    this.#near = new Float64Array(blocks);
    this.#lookedInto = new Float64Array(blocks);
  }

  /** The rows in the order in which nearly equal ones get their shares of the chance. */
  get order(): Int32Array {
    return this.#blocks.rowAt;
  }

  /**
   * How far a row without a place counts from a client: as far as the others are on average, worked out from the mean of the
   * squares of their straight lines, which takes one step however many there are. 0 when nobody has a place.
   */
  kmToUnplaced(client: SpherePoint): number {
    this.#gaugeUnplaced(client);
    return this.#unplaced[1]!;
  }

  /** Sets what is known of a row by itself; its block must be summarised before the next choice. */
  set(row: number, tier: number, base: number, weight: number): void {
    const slot = this.#blocks.slotOf[row]!;
    this.#base[tier]![slot] = base;
    this.#units[slot] = weightUnits(weight);
  }

  fits(row: number, tier: number): boolean {
    return this.#base[tier]![this.#blocks.slotOf[row]!]! < Number.POSITIVE_INFINITY;
  }

  summarise(row: number): void {
    this.#summarise(Math.floor(this.#blocks.slotOf[row]! / BLOCK_ROWS));
  }

  summariseAll(): void {
    for (let block = 0; block < this.#blocks.count; block++) this.#summarise(block);
  }

  /** A row within NEAR_POINTS of the least score, by weight and chance; -1 when none fits. */
  choose(tier: number, from: SpherePoint | undefined, chance: number, without: readonly number[]): number {
    this.#decision += 1;
    this.#best[0] = Number.POSITIVE_INFINITY;
    const client = from ?? NOWHERE;
    const perKm = from === undefined ? 0 : this.#perKm;
    this.#gaugeUnplaced(client);
    const first = this.#boundAll(tier, client, perKm);
    if (first === -1) return -1;
    // The most promising block goes first, so that its best leaves out most of the others.
    this.#lookInto(first, tier, client, perKm, without);
    for (let block = 0; block < this.#bound.length; block++) {
      if (block !== first && this.#bound[block]! < this.#best[0])
        this.#lookInto(block, tier, client, perKm, without);
    }
    if (this.#best[0] === Number.POSITIVE_INFINITY) return -1;
    let total = 0;
    for (let block = 0; block < this.#bound.length; block++) {
      this.#sumNear(block, tier, client, perKm, without);
      total += this.#near[block]!;
    }
    return this.#rowAtUnit(unitAt(chance, total), tier);
  }

  #gaugeUnplaced({ x, y, z }: SpherePoint): void {
    const mean = this.#mean;
    if (mean === undefined) return;
    const squared = Math.max(0, 2 - 2 * (mean.x * x + mean.y * y + mean.z * z));
    this.#unplaced[0] = squared;
    this.#unplaced[1] = arcKm(Math.sqrt(squared));
  }

  /** Notes for each block a score that none of its rows is below; answers with the block of the least, -1 if nothing fits. */
  #boundAll(tier: number, client: SpherePoint, perKm: number): number {
    const least = this.#least[tier]!;
    let first = -1;
    let firstBound = Number.POSITIVE_INFINITY;
    for (let block = 0; block < least.length; block++) {
      const base = least[block]!;
      const bound = base < Number.POSITIVE_INFINITY ? base + perKm * this.#kmTo(block, client, -1) : base;
      this.#bound[block] = bound;
      if (bound >= firstBound) continue;
      firstBound = bound;
      first = block;
    }
    return first;
  }

  /** What no row of the block is nearer to the client than (side -1), or farther away from it (side 1). */
  #kmTo(block: number, { x, y, z }: SpherePoint, side: -1 | 1): number {
    const { balls } = this.#blocks;
    const at = 4 * block;
    const radius = balls[at + 3]!;
    if (radius === UNPLACED) return this.#unplaced[1]!;
    const dx = balls[at]! - x;
    const dy = balls[at + 1]! - y;
    const dz = balls[at + 2]! - z;
    const chord = Math.sqrt(dx * dx + dy * dy + dz * dz);
    if (radius === 0) return arcKm(chord);
    return Math.max(0, arcKm(Math.max(0, chord + side * radius)) + side * ROUNDING_KM);
  }

  /** Scores the rows of a block as far as they can matter, and lowers the best. */
  #lookInto(
    block: number,
    tier: number,
    { x, y, z }: SpherePoint,
    perKm: number,
    without: readonly number[],
  ): void {
    const base = this.#base[tier]!;
    const { places, rowAt } = this.#blocks;
    const end = Math.min(base.length, (block + 1) * BLOCK_ROWS);
    const line = perKm * EARTH_RADIUS_KM * (perKm * EARTH_RADIUS_KM);
    const unplaced = this.#unplaced[0]!;
    let best = this.#best[0]!;
    for (let slot = block * BLOCK_ROWS, at = 4 * slot; slot < end; slot++, at += 4) {
      this.#score[slot] = Number.POSITIVE_INFINITY;
      const room = best + NEAR_POINTS + ROUNDING_KM - base[slot]!;
      if (!(room >= 0)) continue;
      const dx = places[at]! - x;
      const dy = places[at + 1]! - y;
      const dz = places[at + 2]! - z;
      const placed = places[at + 3]!;
      const squared = placed * (dx * dx + dy * dy + dz * dz) + (1 - placed) * unplaced;
      // The straight line is shorter than the arc, so what is out of reach by it needs no arc sine.
      if (line * squared > room * room) continue;
      if (without.length > 0 && without.includes(rowAt[slot]!)) continue;
      const score = base[slot]! + perKm * arcKm(Math.sqrt(squared));
      this.#score[slot] = score;
      if (score < best) best = score;
    }
    this.#best[0] = best;
    this.#lookedInto[block] = this.#decision;
  }

  /** Notes how many units of weight the near rows of a block have, now that the best is known. */
  #sumNear(
    block: number,
    tier: number,
    client: SpherePoint,
    perKm: number,
    without: readonly number[],
  ): void {
    const reach = this.#best[0]! + NEAR_POINTS;
    this.#near[block] = 0;
    if (!(this.#bound[block]! <= reach)) return;
    if (this.#lookedInto[block] !== this.#decision) {
      const all = this.#largest[tier]![block]! + perKm * this.#kmTo(block, client, 1) <= reach;
      if (all && without.length === 0) {
        this.#near[block] = this.#sums[tier]![block]!;
        return;
      }
      this.#lookInto(block, tier, client, perKm, without);
    }
    let sum = 0;
    const end = Math.min(this.#score.length, (block + 1) * BLOCK_ROWS);
    for (let slot = block * BLOCK_ROWS; slot < end; slot++) {
      if (this.#score[slot]! <= reach) sum += this.#units[slot]!;
    }
    this.#near[block] = sum;
  }

  /** The near row on whose stretch of the line of all units a unit lies. */
  #rowAtUnit(unit: number, tier: number): number {
    let block = 0;
    let left = unit;
    for (; left >= this.#near[block]!; block++) left -= this.#near[block]!;
    // Where the block was not looked into, every row that fits is near.
    const inside = this.#lookedInto[block] === this.#decision;
    const value = inside ? this.#score : this.#base[tier]!;
    const reach = inside ? this.#best[0]! + NEAR_POINTS : Number.MAX_VALUE;
    let slot = block * BLOCK_ROWS;
    for (; ; slot++) {
      if (!(value[slot]! <= reach)) continue;
      left -= this.#units[slot]!;
      if (left < 0) return this.#blocks.rowAt[slot]!;
    }
  }

  #summarise(block: number): void {
    const end = Math.min(this.#units.length, (block + 1) * BLOCK_ROWS);
    for (const [tier, base] of this.#base.entries()) {
      let [least, largest, sum] = [Number.POSITIVE_INFINITY, 0, 0];
      for (let slot = block * BLOCK_ROWS; slot < end; slot++) {
        if (base[slot] === Number.POSITIVE_INFINITY) continue;
        least = Math.min(least, base[slot]!);
        largest = Math.max(largest, base[slot]!);
        sum += this.#units[slot]!;
      }
      this.#least[tier]![block] = least;
      this.#largest[tier]![block] = largest;
      this.#sums[tier]![block] = sum;
    }
  }
}
