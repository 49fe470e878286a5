import type { BackendSettings } from '@usher/domain';
import type { Subscription } from './message-bus.ts';

/** A file cannot be used; `faults` has everything that is wrong with it, one sentence each. */
export class FaultyFileError extends Error {
  readonly faults: readonly string[];

  constructor(faults: readonly string[], options?: ErrorOptions) {
    super(faults.join('\n'), options);
    this.name = 'FaultyFileError';
    this.faults = faults;
  }
}

/** Files on this machine in which backends are listed. */
export interface BackendFiles {
  /** The backends that a file lists for a pool. Rejects with FaultyFileError. */
  read(file: string, pool: string): Promise<readonly BackendSettings[]>;
  /** Calls back when the file may have changed, and now and then. */
  watch(file: string, onChange: () => void): Subscription;
}
