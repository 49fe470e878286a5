import { ConfigError, type Fault, formatFault } from '@usher/config';
import { ERRORS, type Outdated, UsherError } from '@usher/domain';
import { outdatedLines } from './change-lines.ts';
import { CommandError, type Io, UsageError } from './io.ts';

/** What programs are told; a refusal of the API may name a revision and changes. */
interface ErrorReport extends Partial<Outdated> {
  /** Stable: one of the API's codes or of `CommandError`, `usage`, `config` or `failed`. */
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  /** Of a configuration. */
  readonly faults?: readonly Fault[];
}

/** Whether a program is to read what the command prints. */
export function forPrograms(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return (end === -1 ? args : args.slice(0, end)).includes('--json');
}

/** Says on standard error what went wrong: in words, or as one line of JSON. `usage` is how the command is called. */
export function tellError(error: unknown, json: boolean, io: Pick<Io, 'err'>, usage?: string): void {
  if (json) io.err(JSON.stringify(reportOf(error)));
  else for (const line of linesOf(error, usage)) io.err(line);
}

function linesOf(error: unknown, usage: string | undefined): string[] {
  const { message } = error as Error;
  if (error instanceof ConfigError) return [message];
  if (error instanceof UsherError) return [`usher: ${message} (${error.code})`, ...outdatedLines(error)];
  const isUsage = error instanceof UsageError && usage !== undefined;
  return [`usher: ${message}`, ...(isUsage ? [`usage: usher ${usage}`] : [])];
}

function reportOf(error: unknown): ErrorReport {
  const { message: detail } = error as Error;
  if (error instanceof UsageError) return { code: 'usage', title: 'Bad usage', detail };
  if (error instanceof CommandError)
    return { code: error.code, title: CommandError.TITLES[error.code], detail };
  if (error instanceof ConfigError) {
    const title = 'The configuration is faulty';
    return { code: 'config', title, detail: error.faults.map(formatFault).join('\n'), faults: error.faults };
  }
  if (!(error instanceof UsherError)) return { code: 'failed', title: 'The command failed', detail };
  const { code, outdated } = error;
  // A newer system may have codes that are not known here.
  const title = Object.hasOwn(ERRORS, code) ? ERRORS[code].title : detail;
  return { code, title, detail, ...outdated };
}
