import type { Uniform } from '@usher/domain';
import type { RouteEntry } from '../routing-table.ts';

/**
 * What becomes of copies: they are `answered`, or it `failed`, or there is none because of its request: `too_long`: its body; `too_many`:
 * others are under way, or there is too much to do; `unfit`: it does not say as the pool asks what it needs.
 */
export const MIRROR_OUTCOMES = ['answered', 'failed', 'too_long', 'too_many', 'unfit'] as const;
export type MirrorOutcome = (typeof MIRROR_OUTCOMES)[number];

/** What became of the copies of one route's requests, by the places of the outcomes. */
export interface MirrorCounts {
  readonly route: string;
  readonly pool: string;
  readonly counts: readonly number[];
}

/** Where copies of a route's requests go. */
export class RouteMirror {
  /** As if they came by a route of their own. */
  readonly entry: RouteEntry;
  /** By the places of the outcomes. */
  readonly counts: Float64Array;
  readonly #share: number;
  readonly #random: Uniform;

  /** `before`: what is counted already. */
  constructor(entry: RouteEntry, share: number, random: Uniform, before?: Float64Array) {
    this.entry = entry;
    this.counts = before ?? new Float64Array(MIRROR_OUTCOMES.length);
    this.#share = share;
    this.#random = random;
  }

  /** Whether there is to be a copy of the next request. */
  takes(): boolean {
    return this.#share >= 1 || this.#random.next() < this.#share;
  }

  count(outcome: MirrorOutcome): void {
    this.counts[MIRROR_OUTCOMES.indexOf(outcome)]! += 1;
  }
}
