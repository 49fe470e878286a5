import type { Change, UsherError } from '@usher/domain';

/** One line for each change: `pools.web.strategy: "p2c" → "maglev"`. */
export function changeLines(changes: readonly Change[]): string[] {
  return changes.map(({ path, before, after }) => `${path}: ${shown(before)} → ${shown(after)}`);
}

/** What has changed since the revision that a refused command was based on. */
export function outdatedLines({ outdated }: UsherError): string[] {
  return changeLines(outdated?.changes ?? []).map((line) => `  ${line}`);
}

function shown(value: unknown): string {
  return value === undefined ? '(none)' : JSON.stringify(value);
}
