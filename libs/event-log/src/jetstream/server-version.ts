/** 2.9 is the first server that has everything used here; nothing newer is used, because older servers ignore it silently. */
const VERSION_MIN = [2, 9] as const;
/** The first server that can be told to sync before it acknowledges. */
const SYNC_VERSION = [2, 10] as const;

/** Waiting does not help: the server has to be replaced. */
export class UnsupportedServerError extends Error {
  constructor(version: string) {
    super(`the NATS server has version ${version}; Usher needs ${VERSION_MIN.join('.')} or newer`);
    this.name = 'UnsupportedServerError';
  }
}

export function assertVersion(version: string): void {
  if (!isAtLeast(version, VERSION_MIN)) throw new UnsupportedServerError(version);
}

/** What an acknowledged event survives. The server does not tell its clients how often it syncs. */
export function describeDurability(version: string): string {
  if (!isAtLeast(version, SYNC_VERSION)) {
    return 'acknowledged events survive the death of the server process; servers before 2.10 cannot sync them against power loss';
  }
  return 'acknowledged events survive the death of the server process; they survive power loss if the server runs with `sync_interval: always`';
}

function isAtLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [actualMajor = 0, actualMinor = 0] = version.split('.').map((part) => Number.parseInt(part, 10) || 0);
  return actualMajor > major || (actualMajor === major && actualMinor >= minor);
}
