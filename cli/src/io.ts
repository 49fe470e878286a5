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

/** There was no answer to a command. */
export class CommandError extends Error {
  static readonly TITLES = {
    unreachable: 'No running system answers',
    timeout: 'The answer did not come in time',
    stranger: 'What answers is no Usher',
  } as const;
  override readonly name = 'CommandError';
  readonly code: keyof typeof CommandError.TITLES;

  constructor(code: keyof typeof CommandError.TITLES, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Does what a verb says and resolves with the exit code. Throws UsageError, ConfigError, UsherError, CommandError. */
export type Run<V extends Verb> = (given: Given<V>, io: Io) => Promise<number>;
