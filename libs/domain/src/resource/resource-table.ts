import { fit } from './fit.ts';
import { machineOf, type ResourceBackend } from './machine.ts';
import { onSphere, type SpherePoint } from './place.ts';
import { baseScore, type ScoringSettings, scoreParts } from './score.ts';
import { ScoreBoard } from './score-board.ts';
import type { Tier } from './tier.ts';

/** What a request brings to the decision. Equal features in an equal table give the same choice. */
export interface ResourceRequest {
  /** Index of its tier. */
  readonly tier: number;
  /** Where the client is; undefined = unknown, then distance does not count. A row of unknown place counts as far as the others are on average. */
  readonly from: SpherePoint | undefined;
  /** Chance, uniform in [0, 1), which shares among nearly equal backends. */
  readonly chance: number;
  /** Rows that are out of question, such as those that already failed. */
  readonly without: readonly number[];
}

/**
 * A pool's backends, one a row, prepared for decisions: everything that no client changes is worked out when a backend
 * changes, so a decision reads numbers only and allocates nothing.
 */
export class ResourceTable {
  readonly tiers: readonly Tier[];
  readonly scoring: ScoringSettings;
  #rows: ResourceBackend[] = [];
  #board: ScoreBoard;
  /** Places have changed since the board was set up. */
  #moved = false;

  constructor(tiers: readonly Tier[], scoring: ScoringSettings) {
    this.tiers = tiers;
    this.scoring = scoring;
    this.#board = new ScoreBoard([], tiers.length, scoring.distance);
  }

  get rows(): readonly ResourceBackend[] {
    return this.#rows;
  }

  /** Index of the tier of that name, -1 if there is none. */
  tierIndex(name: string): number {
    return this.tiers.findIndex((tier) => tier.name === name);
  }

  /** The rows in the order in which nearly equal ones get their shares of the chance. */
  order(): Int32Array {
    return this.#settled().order;
  }

  /** How far a row of unknown place counts from a client. */
  kmToUnplaced(client: SpherePoint): number {
    return this.#settled().kmToUnplaced(client);
  }

  /** Whether a row has what a tier needs. */
  fits(row: number, tier: number): boolean {
    return this.#settled().fits(row, tier);
  }

  /** Replaces all rows. Tables are equal when their rows are, in order: sort by id what comes from an unordered source. */
  reset(backends: readonly ResourceBackend[]): void {
    this.#rows = [...backends];
    this.#moved = true;
  }

  /** Takes what changed about the backend of a row. */
  update(row: number, backend: ResourceBackend): void {
    const before = this.#rows[row];
    if (before === undefined) throw new RangeError(`there is no row ${row}`);
    this.#rows[row] = backend;
    this.#moved ||=
      before.place?.latitude !== backend.place?.latitude ||
      before.place?.longitude !== backend.place?.longitude;
    if (this.#moved) return;
    this.#rate(row);
    this.#board.summarise(row);
  }

  /** The row to take, -1 when no backend fits: one of those within NEAR_POINTS of the least score, by weight. */
  choose({ tier, from, chance, without }: ResourceRequest): number {
    return this.#settled().choose(tier, from, chance, without);
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

  /** A board for the present places. Many moves in a row make one new board. */
  #settled(): ScoreBoard {
    if (!this.#moved) return this.#board;
    const points = this.#rows.map(({ place }) => place && onSphere(place));
    this.#board = new ScoreBoard(points, this.tiers.length, this.scoring.distance);
    for (let row = 0; row < points.length; row++) this.#rate(row);
    this.#board.summariseAll();
    this.#moved = false;
    return this.#board;
  }

  #rate(row: number): void {
    const backend = this.#rows[row]!;
    const machine = machineOf(backend);
    for (const [index, tier] of this.tiers.entries()) {
      const fits = fit(backend, machine, tier).reason === 'ok';
      const parts = scoreParts(machine, backend.latencyMs, tier, this.scoring);
      this.#board.set(row, index, fits ? baseScore(parts) : Number.POSITIVE_INFINITY, backend.weight);
    }
  }
}
