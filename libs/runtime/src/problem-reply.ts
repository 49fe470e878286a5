import { ERRORS, type ErrorCode, type Problem, problemOf, UsherError } from '@usher/domain';
import { ConflictError, LogReplacedError, LogUnavailableError, StoreUnavailableError } from '@usher/ports';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';

/** The problem that an error is answered with. What nobody foresaw is `internal`, without a word about it. */
export function problemFor(error: unknown): Problem {
  if (error instanceof UsherError) return problemOf(error.code, error.detail, error.outdated);
  if (error instanceof ConflictError) return problemOf('conflict');
  if (error instanceof LogReplacedError) return problemOf('log_replaced', error.message);
  if (error instanceof LogUnavailableError) return problemOf('log_unavailable');
  if (error instanceof StoreUnavailableError)
    return problemOf('overloaded', 'The state store does not answer');
  if (!(error instanceof Error)) return problemOf('internal');
  const { code, statusCode = 500, message } = error as Partial<FastifyError> & Error;
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return problemOf('body_too_large');
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE')
    return problemOf('invalid_input', 'Send the body as application/json');
  return statusCode >= 400 && statusCode < 500 ? problemOf('invalid_input', message) : problemOf('internal');
}

/** What the log may have of a request's target: people put tokens into queries. */
export function pathOf({ url }: FastifyRequest): string {
  return url.split('?', 1)[0]!;
}

/** Answers with a problem (RFC 9457), with Retry-After where trying again helps. */
export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  const retryAfter = retryAfterOf(problem.code);
  if (retryAfter !== undefined) void reply.header('retry-after', String(retryAfter));
  if (problem.status === 401) void reply.header('www-authenticate', 'Bearer realm="usher"');
  // As bytes: a string would be given a charset, which JSON has no parameter for.
  const body = Buffer.from(JSON.stringify(problem));
  return reply.code(problem.status).type('application/problem+json').send(body);
}

function retryAfterOf(code: ErrorCode): number | undefined {
  const kind = ERRORS[code];
  return 'retryAfterS' in kind ? kind.retryAfterS : undefined;
}
