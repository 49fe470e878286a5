import { fit } from './fit.ts';
import { machineOf, type ResourceBackend } from './machine.ts';
import { arcKm, EARTH_RADIUS_KM, onSphere, type SpherePoint } from './place.ts';
import { BLOCK_ROWS, type PlaceBlocks, placeBlocks } from './place-blocks.ts';
import { baseScore, type ScoringSettings, scoreParts } from './score.ts';
import type { Tier } from './tier.ts';

/**
 * Backends whose scores are this close are as good as each other and share by weight: were the best of them to take
 * everything until its next report, every gateway would run to it at once.
 */
export const NEAR_POINTS = 5;
/** Bounds are rounded otherwise than scores; this much they may be wrong. */
const ROUNDING = 1e-6;

/** So few rows are looked at one by one; bounds of blocks would cost more than they save. */
const SCANNED_ROWS_MAX = 128;

/** What a request brings to the decision. Equal features in an equal table give the same choice. */
export interface ResourceRequest {
  /** Index of its tier. */
  readonly tier: number;
  /** Where the client is; undefined = unknown, then distance does not count. */
  readonly from: SpherePoint | undefined;
  /** Chance, uniform in [0, 1), which shares among nearly equal backends. */
  readonly chance: number;
  /** Rows that are out of question, such as those that already failed. */
  readonly without: readonly number[];
}

/**
 * A pool's backends, one a row, prepared for decisions: everything that no client changes is worked out when a backend
 * changes, so a decision reads numbers only and allocates nothing. It may leave out whole blocks of backends that are
 * too far away or too loaded, but never one that could be chosen.
 */
export class ResourceTable {
  readonly tiers: readonly Tier[];
  readonly scoring: ScoringSettings;
  #rows: ResourceBackend[] = [];
  #blocks: PlaceBlocks = placeBlocks([]);
  /** By tier and slot: the score without distance; infinite where the backend does not fit. */
  #base: readonly Float64Array[];
  /** By tier and block: the least of them. */
  #least: readonly Float64Array[];
  /** Slots within reach of the best and their scores, while a decision is made. */
  #near = new Int32Array(0);
  #nearScore = new Float64Array(0);
  /** A least possible score of each block for the client of the decision under way. */
  #bound = new Float64Array(0);
  /** The least score so far, in an array because a number that changes would be an object of its own. */
  readonly #best = new Float64Array(1);
  /** Places have changed since the blocks were made. */
  #moved = false;

  constructor(tiers: readonly Tier[], scoring: ScoringSettings) {
    this.tiers = tiers;
    this.scoring = scoring;
    this.#base = tiers.map(() => new Float64Array(0));
    this.#least = this.#base;
  }

  get rows(): readonly ResourceBackend[] {
    return this.#rows;
  }

  /** Index of the tier of that name, -1 if there is none. */
  tierIndex(name: string): number {
    return this.tiers.findIndex((tier) => tier.name === name);
  }

  /** The rows in the order in which nearly equal ones are given their shares of the chance. */
  order(): Int32Array {
    if (this.#moved) this.#arrange();
    return this.#blocks.rowAt;
  }

  /** Replaces all rows. Tables are equal when their rows are, in order: sort by id what comes from an unordered source. */
  reset(backends: readonly ResourceBackend[]): void {
    this.#rows = [...backends];
    this.#arrange();
  }

  /** Takes what changed about the backend of a row. */
  update(row: number, backend: ResourceBackend): void {
    const before = this.#rows[row];
    if (before === undefined) throw new RangeError(`there is no row ${row}`);
    this.#rows[row] = backend;
    if (
      before.place?.latitude !== backend.place?.latitude ||
      before.place?.longitude !== backend.place?.longitude
    )
      this.#moved = true;
    this.#rate(row);
    this.#summarise(Math.floor(this.#blocks.slotOf[row]! / BLOCK_ROWS));
  }

  /** Up to `max` rows, best first: each is the choice when those before it are out of question. */
  rank(request: ResourceRequest, max: number): number[] {
    const ranked: number[] = [];
    while (ranked.length < max) {
      const row = this.choose({ ...request, without: [...request.without, ...ranked] });
      if (row === -1) break;
      ranked.push(row);
    }
    return ranked;
  }

  /** The row to take, -1 when no backend fits: one of those within NEAR_POINTS of the least score, by weight. */
  choose(request: ResourceRequest): number {
    if (this.#moved) this.#arrange();
    this.#best[0] = Number.POSITIVE_INFINITY;
    const slots = this.#rows.length;
    if (slots <= SCANNED_ROWS_MAX) return this.#share(this.#gather(request, 0, slots, 0), request.chance);
    const first = this.#boundBlocks(request);
    if (first === -1) return -1;
    // The most promising block goes first, so that its best leaves out most of the others; near rows are then gathered in
    // the order of the slots, which does not depend on the client.
    this.#gather(request, first * BLOCK_ROWS, Math.min(slots, (first + 1) * BLOCK_ROWS), 0);
    let gathered = 0;
    for (let block = 0; block < this.#bound.length; block++) {
      if (this.#bound[block]! > this.#best[0] + NEAR_POINTS + ROUNDING) continue;
      const start = block * BLOCK_ROWS;
      gathered = this.#gather(request, start, Math.min(slots, start + BLOCK_ROWS), gathered);
    }
    return this.#share(gathered, request.chance);
  }

  /** Notes for each block the score that none of its rows can be below; answers with the block of the least, -1 if nothing fits. */
  #boundBlocks({ tier, from }: ResourceRequest): number {
    const least = this.#least[tier]!;
    const { balls } = this.#blocks;
    const perKm = from === undefined ? 0 : this.scoring.distance * EARTH_RADIUS_KM;
    const { x, y, z } = from ?? NOWHERE;
    let first = -1;
    let firstBound = Number.POSITIVE_INFINITY;
    for (let block = 0, at = 0; block < least.length; block++, at += 4) {
      const dx = balls[at]! - x;
      const dy = balls[at + 1]! - y;
      const dz = balls[at + 2]! - z;
      const gap = Math.sqrt(dx * dx + dy * dy + dz * dz) - balls[at + 3]!;
      const bound = gap > 0 ? least[block]! + perKm * gap : least[block]!;
      this.#bound[block] = bound;
      if (bound >= firstBound) continue;
      firstBound = bound;
      first = block;
    }
    return first;
  }

  /**
   * Appends those slots to `near` that are within reach of the best known before them, and lowers the best.
   * The straight line is shorter than the arc, so what is out of reach by it needs no arc sine.
   */
  #gather({ tier, from, without }: ResourceRequest, start: number, end: number, gathered: number): number {
    const base = this.#base[tier]!;
    const { places, rowAt } = this.#blocks;
    const perKm = from === undefined ? 0 : this.scoring.distance;
    const line = perKm * EARTH_RADIUS_KM * (perKm * EARTH_RADIUS_KM);
    const { x, y, z } = from ?? NOWHERE;
    let reach = this.#best[0]! + NEAR_POINTS;
    let count = gathered;
    for (let slot = start, at = 4 * start; slot < end; slot++, at += 4) {
      const room = reach + ROUNDING - base[slot]!;
      if (!(room >= 0)) continue;
      const chord = places[at + 3]! - 2 * (places[at]! * x + places[at + 1]! * y + places[at + 2]! * z);
      if (line * chord > room * room) continue;
      if (without.length > 0 && without.includes(rowAt[slot]!)) continue;
      const score = base[slot]! + (perKm === 0 ? 0 : perKm * arcKm(Math.max(0, chord)));
      if (score > reach) continue;
      if (score < this.#best[0]!) {
        this.#best[0] = score;
        reach = score + NEAR_POINTS;
      }
      this.#near[count] = slot;
      this.#nearScore[count++] = score;
    }
    return count;
  }

  /** Takes one of the gathered slots that are still near by weight. */
  #share(gathered: number, chance: number): number {
    const reach = this.#best[0]! + NEAR_POINTS;
    const { rowAt } = this.#blocks;
    let total = 0;
    for (let index = 0; index < gathered; index++) {
      if (this.#nearScore[index]! <= reach) total += this.#rows[rowAt[this.#near[index]!]!]!.weight;
    }
    let point = chance * total;
    let last = -1;
    for (let index = 0; index < gathered && point >= 0; index++) {
      if (this.#nearScore[index]! > reach) continue;
      last = rowAt[this.#near[index]!]!;
      point -= this.#rows[last]!.weight;
    }
    return last;
  }

  #arrange(): void {
    const rows = this.#rows;
    const { length } = rows;
    this.#blocks = placeBlocks(rows.map(({ place }) => place && onSphere(place)));
    const blocks = this.#blocks.balls.length / 4;
    this.#base = this.tiers.map(() => new Float64Array(length));
    this.#least = this.tiers.map(() => new Float64Array(blocks));
    this.#near = new Int32Array(length);
    this.#nearScore = new Float64Array(length);
    this.#bound = new Float64Array(blocks);
    for (let row = 0; row < length; row++) this.#rate(row);
    for (let block = 0; block < blocks; block++) this.#summarise(block);
    this.#moved = false;
  }

  #rate(row: number): void {
    const backend = this.#rows[row]!;
    const machine = machineOf(backend);
    const slot = this.#blocks.slotOf[row]!;
    for (const [index, tier] of this.tiers.entries()) {
      const fits = fit(backend, machine, tier).reason === 'ok';
      const parts = scoreParts(machine, backend.latencyMs, tier, this.scoring);
      this.#base[index]![slot] = fits ? baseScore(parts) : Number.POSITIVE_INFINITY;
    }
  }

  #summarise(block: number): void {
    for (const [index, base] of this.#base.entries()) {
      let least = Number.POSITIVE_INFINITY;
      const end = Math.min(base.length, (block + 1) * BLOCK_ROWS);
      for (let slot = block * BLOCK_ROWS; slot < end; slot++) least = Math.min(least, base[slot]!);
      this.#least[index]![block] = least;
    }
  }
}

const NOWHERE: SpherePoint = { x: 0, y: 0, z: 0 };
