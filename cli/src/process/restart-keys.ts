import { isDeepStrictEqual } from 'node:util';
import type { LocalSettings } from '@usher/config';

/** Settings of a process with which it would have to start again, because they are others than it started with. */
export function restartKeys(started: LocalSettings, now: LocalSettings): string[] {
  const before = new Map<string, unknown>(Object.entries(started));
  const after = new Map<string, unknown>(Object.entries(now));
  return [...new Set([...after.keys(), ...before.keys()])].filter(
    (key) => key !== 'listen' && !isDeepStrictEqual(after.get(key), before.get(key)),
  );
}
