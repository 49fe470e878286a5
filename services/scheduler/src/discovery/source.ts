import type { BackendSettings } from '@usher/domain';

/** A backend as its source tells of it; what it does not say is for others to say. */
export type Discovered = Pick<BackendSettings, 'id' | 'pool' | 'url'> & Partial<BackendSettings>;

export interface Found {
  readonly backends: readonly Discovered[];
  /** After how long that may be old; undefined where the source itself tells. */
  readonly freshMs?: number | undefined;
  /** What could not be asked, so that the last answer stands in for it. */
  readonly stale?: string | undefined;
}

/** Where the backends of a pool are found. */
export interface Source {
  /** For people. */
  readonly what: string;
  /** Longest time until it is asked again after it failed; undefined where it says so itself. */
  readonly retryMaxMs: number | undefined;
  /** Rejects when there is neither an answer nor a last one. */
  look(): Promise<Found>;
  /** Calls back when it has something new, until that is ended; absent where it has to be asked. */
  watch?(onChange: () => void): { stop(): void };
}
