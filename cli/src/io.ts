/** What a command may touch of the outside; tests give it something else. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly hostname: string;
  /** What runs this program again. */
  readonly self: readonly string[];
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

export interface CliCommand {
  /** How it is called, after `usher`. */
  readonly usage: string;
  /** Resolves with the exit code. Throws UsageError, ConfigError, UsherError. */
  run(args: readonly string[], io: Io): Promise<number>;
}
