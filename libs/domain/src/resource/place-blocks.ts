import type { SpherePoint } from './place.ts';

/** Rows of a block. Fewer make more blocks to look at, more make blocks that are worth skipping rarer. */
export const BLOCK_ROWS = 32;
/** Steps along each axis of the curve that orders the rows. */
const GRID = 1024;
/** More rows than any table has, and few enough that a place on the curve and a row fit exactly into one number. */
const ROW_SPACE = 2 ** 22;

/**
 * Rows in an order in which neighbours on the Earth are mostly neighbours, cut into blocks of equal length, so that a
 * decision can leave out a block whose nearest possible row is too far. Everything here depends on the places alone.
 */
export interface PlaceBlocks {
  /** Row at each slot of the order, and the other way round. */
  readonly rowAt: Int32Array;
  readonly slotOf: Int32Array;
  /** Four a slot: a point of the unit sphere and 2, or four zeros for a row without a place. */
  readonly places: Float64Array;
  /** Four a block: the middle of its points and the straight distance to the farthest; infinite with a row without a place. */
  readonly balls: Float64Array;
}

export function placeBlocks(points: readonly (SpherePoint | undefined)[]): PlaceBlocks {
  // Along a Z-shaped curve, then by row; one number for both, because numbers sort without a callback.
  const keys = Float64Array.from(points, (point, row) => curve(point) * ROW_SPACE + row).sort();
  const rowAt = Int32Array.from(keys, (key) => key % ROW_SPACE);
  const slotOf = new Int32Array(points.length);
  const places = new Float64Array(4 * points.length);
  for (const [slot, row] of rowAt.entries()) {
    slotOf[row] = slot;
    const point = points[row];
    if (point !== undefined) places.set([point.x, point.y, point.z, 2], 4 * slot);
  }
  const blocks = Math.ceil(points.length / BLOCK_ROWS);
  const balls = new Float64Array(4 * blocks);
  for (let block = 0; block < blocks; block++) {
    const first = 4 * BLOCK_ROWS * block;
    balls.set(ballAround(places.subarray(first, first + 4 * BLOCK_ROWS)), 4 * block);
  }
  return { rowAt, slotOf, places, balls };
}

function ballAround(places: Float64Array): readonly [number, number, number, number] {
  const count = places.length / 4;
  let [x, y, z, placed] = [0, 0, 0, 0];
  for (let at = 0; at < places.length; at += 4) {
    x += places[at]! / count;
    y += places[at + 1]! / count;
    z += places[at + 2]! / count;
    placed += places[at + 3]! / 2;
  }
  if (placed < count) return [0, 0, 0, Number.POSITIVE_INFINITY];
  let radius = 0;
  for (let at = 0; at < places.length; at += 4) {
    radius = Math.max(radius, Math.hypot(places[at]! - x, places[at + 1]! - y, places[at + 2]! - z));
  }
  return [x, y, z, radius];
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
