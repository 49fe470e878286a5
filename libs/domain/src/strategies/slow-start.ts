/** Where a slow start begins: less would not tell whether the backend works. */
const SHARE_MIN = 0.1;

/** The part of its weight that a backend has `sinceMs` after it was admitted: a straight line up to all of it. */
export function warmth(sinceMs: number, slowStartMs: number): number {
  return sinceMs >= slowStartMs ? 1 : Math.max(SHARE_MIN, sinceMs / slowStartMs);
}
