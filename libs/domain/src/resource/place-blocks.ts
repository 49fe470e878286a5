import type { SpherePoint } from './place.ts';

/** Rows of a block. Fewer make more blocks to look at, more make blocks that can be left out rarer. */
export const BLOCK_ROWS = 32;
/** Steps along each axis of the curve that orders the rows. */
const GRID = 1024;
/** More rows than any table has, and few enough that a place on the curve and a row fit exactly into one number. */
const ROW_SPACE = 2 ** 22;

/**
 * Rows in an order in which neighbours on the Earth are mostly neighbours, cut into blocks of equal length, so that a
 * decision can judge a whole block at once. Everything here depends on the places alone.
 */
export interface PlaceBlocks {
  readonly count: number;
  /** Row at each slot of the order, and the other way round. */
  readonly rowAt: Int32Array;
  readonly slotOf: Int32Array;
  /** Four a slot: a point of the unit sphere and 1, or four zeros for a row without a place. */
  readonly places: Float64Array;
  /**
   * Four a block: the middle of its points and the straight distance to the farthest of them. That is `UNPLACED` when no
   * row of the block has a place, infinite when some have and some have not.
   */
  readonly balls: Float64Array;
}

export const UNPLACED = -1;

export function placeBlocks(points: readonly (SpherePoint | undefined)[]): PlaceBlocks {
  // Along a Z-shaped curve, then by row; one number for both, because numbers sort without a callback.
  const keys = Float64Array.from(points, (point, row) => curve(point) * ROW_SPACE + row).toSorted();
  const rowAt = Int32Array.from(keys, (key) => key % ROW_SPACE);
  const slotOf = new Int32Array(points.length);
  const places = new Float64Array(4 * points.length);
  for (const [slot, row] of rowAt.entries()) {
    slotOf[row] = slot;
    const point = points[row];
    if (point !== undefined) places.set([point.x, point.y, point.z, 1], 4 * slot);
  }
  const count = Math.ceil(points.length / BLOCK_ROWS);
  const balls = new Float64Array(4 * count);
  for (let block = 0; block < count; block++) {
    const first = BLOCK_ROWS * block;
    const members = Array.from(rowAt.subarray(first, first + BLOCK_ROWS), (row) => points[row]);
    balls.set(ballAround(members), 4 * block);
  }
  return { count, rowAt, slotOf, places, balls };
}

function ballAround(members: readonly (SpherePoint | undefined)[]): readonly number[] {
  const placed = members.filter((point) => point !== undefined);
  if (placed.length === 0) return [0, 0, 0, UNPLACED];
  if (placed.length < members.length) return [0, 0, 0, Number.POSITIVE_INFINITY];
  // The middle of a box, not a mean: it is exactly the point when all rows are in the same place.
  const [x, y, z] = [
    middle(placed.map((p) => p.x)),
    middle(placed.map((p) => p.y)),
    middle(placed.map((p) => p.z)),
  ];
  return [x, y, z, Math.max(...placed.map((p) => Math.hypot(p.x - x, p.y - y, p.z - z)))];
}

function middle(values: readonly number[]): number {
  const least = Math.min(...values);
  return least + (Math.max(...values) - least) / 2;
}

/** Place on a Z-order curve through the cube around the sphere; rows without a place come last. */
function curve(point: SpherePoint | undefined): number {
  if (point === undefined) return GRID ** 3;
  return spread(point.x) + 2 * spread(point.y) + 4 * spread(point.z);
}

/** The ten bits of a coordinate, each followed by two zeros. */
function spread(coordinate: number): number {
  let bits = Math.min(GRID - 1, Math.floor(((coordinate + 1) / 2) * GRID));
  bits = (bits | (bits << 16)) & 0x030000ff;
  bits = (bits | (bits << 8)) & 0x0300f00f;
  bits = (bits | (bits << 4)) & 0x030c30c3;
  return (bits | (bits << 2)) & 0x09249249;
}
