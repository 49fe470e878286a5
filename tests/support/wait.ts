import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 10;
const LIMIT_MS = 30_000;

/** Waits until `condition` answers with something other than undefined or false, and gives that back. */
export async function until<T>(
  what: string,
  condition: () => Promise<T | undefined | false> | T | undefined | false,
  limitMs: number = LIMIT_MS,
): Promise<T> {
  const deadlineMs = performance.now() + limitMs;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > deadlineMs) throw new Error(`not within ${limitMs} ms: ${what}`);
    await sleep(POLL_MS);
  }
}
