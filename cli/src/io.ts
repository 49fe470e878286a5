import type { Given, Verb } from './verbs/verb.ts';

/** What a command may touch of the outside; tests give it something else. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly hostname: string;
  /** What runs this program again as it was run. */
  readonly commandLine: readonly string[];
  /** Writes a line to standard output. */
  out(line: string): void;
  /** Writes a line to standard error. */
  err(line: string): void;
}

export const EXIT_OK = 0;
export const EXIT_FAILED = 1;
/** Bad usage or a faulty configuration: starting again will not help. */
export const EXIT_USAGE = 2;

/** The command line makes no sense; the message says why. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Does what a verb says and resolves with the exit code. Throws UsageError, ConfigError, UsherError. */
export type Run<V extends Verb> = (given: Given<V>, io: Io) => Promise<number>;
