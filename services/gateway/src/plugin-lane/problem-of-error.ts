import { STATUS_CODES } from 'node:http';
import { ERRORS, type Problem, problemOf, UsherError } from '@usher/domain';

/** A refusal by a plugin has no code of ours. */
export type LaneProblem = Omit<Problem, 'code'> & Partial<Pick<Problem, 'code'>>;

/**
 * The body that an error is answered with (RFC 9457). A plugin may refuse a request with an error that has a `statusCode`
 * of 400 to 499, which is passed on with its message; anything else that nobody foresaw is `internal`, without a word about it.
 */
export function problemOfError(error: unknown): LaneProblem {
  if (error instanceof UsherError) return problemOf(error.code, error.detail);
  if (!(error instanceof Error)) return problemOf('internal');
  const { statusCode = 500, message } = error as Error & { statusCode?: number };
  if (statusCode < 400 || statusCode > 499) return problemOf('internal');
  return {
    type: 'about:blank',
    title: STATUS_CODES[statusCode] ?? 'Refused',
    status: statusCode,
    detail: message,
  };
}

/** Seconds for Retry-After, where trying again makes sense. */
export function retryAfterOf({ code }: Pick<LaneProblem, 'code'>): number | undefined {
  const kind = code === undefined ? undefined : ERRORS[code];
  return kind !== undefined && 'retryAfterS' in kind ? kind.retryAfterS : undefined;
}
