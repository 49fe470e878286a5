/** Whether a window that began at `startMs` is over, also because the clock was set back and it would begin in the future. */
export function isOver(startMs: number, windowMs: number, nowMs: number): boolean {
  return nowMs - startMs >= windowMs || startMs > nowMs;
}
