import type { Change } from './changes.ts';

/** Whose fault an error is: the client's, the backend's, or ours. Only `backend` counts against a backend. */
export type Fault = 'client' | 'backend' | 'usher';

export interface ErrorKind {
  readonly status: number;
  readonly title: string;
  readonly fault: Fault;
  /** Seconds after which trying again makes sense; absent where it does not. */
  readonly retryAfterS?: number;
}

/**
 * Every error that a client, an operator or an agent can be answered with, by its stable code.
 * The shape on the wire is `application/problem+json` (RFC 9457).
 */
export const ERRORS = {
  bad_request: { status: 400, title: 'The request is not valid HTTP', fault: 'client' },
  invalid_input: { status: 400, title: 'The input is not valid', fault: 'client' },
  unauthorized: { status: 401, title: 'A valid token is required', fault: 'client' },
  forbidden: { status: 403, title: 'Not allowed', fault: 'client' },
  no_route: { status: 404, title: 'No route matches this request', fault: 'client' },
  not_found: { status: 404, title: 'Not found', fault: 'client' },
  method_not_allowed: { status: 405, title: 'The path has no such method', fault: 'client' },
  request_timeout: { status: 408, title: 'The request was not received in time', fault: 'client' },
  conflict: { status: 409, title: 'The state has changed since it was read', fault: 'client' },
  body_too_large: { status: 413, title: 'The request body is too large', fault: 'client' },
  expectation_failed: { status: 417, title: 'The expectation cannot be met', fault: 'client' },
  misdirected: { status: 421, title: 'The request needs a connection of its own', fault: 'usher' },
  too_many_connections: {
    status: 429,
    title: 'The client has too many connections open',
    fault: 'client',
    retryAfterS: 1,
  },
  rate_limited: {
    status: 429,
    title: 'The client has sent too many requests',
    fault: 'client',
    retryAfterS: 1,
  },
  head_too_large: { status: 431, title: 'The request head is too large', fault: 'client' },
  client_closed: { status: 499, title: 'The client closed the request', fault: 'client' },
  internal: { status: 500, title: 'Internal error', fault: 'usher' },
  method_not_supported: { status: 501, title: 'The method is not supported', fault: 'client' },
  connect_failed: { status: 502, title: 'The backend refused or dropped the connection', fault: 'backend' },
  bad_response: { status: 502, title: 'The backend answered with invalid HTTP', fault: 'backend' },
  backend_closed: {
    status: 502,
    title: 'The backend closed the connection before answering',
    fault: 'backend',
  },
  unknown_tier: { status: 400, title: 'There is no such tier', fault: 'client' },
  no_capacity: {
    status: 503,
    title: 'No backend has the resources that the request needs',
    fault: 'usher',
    retryAfterS: 1,
  },
  no_backend: { status: 503, title: 'No backend is available', fault: 'usher', retryAfterS: 1 },
  overloaded: { status: 503, title: 'The gateway is at its limit', fault: 'usher', retryAfterS: 1 },
  log_unavailable: { status: 503, title: 'The event log cannot be written', fault: 'usher', retryAfterS: 2 },
  log_replaced: {
    status: 503,
    title: 'The event log is not the one that the state came from',
    fault: 'usher',
  },
  no_gateway: { status: 503, title: 'No gateway answers', fault: 'usher', retryAfterS: 2 },
  no_leader: { status: 503, title: 'No scheduler is leading', fault: 'usher', retryAfterS: 2 },
  connect_timeout: {
    status: 504,
    title: 'The backend did not accept a connection in time',
    fault: 'backend',
  },
  response_timeout: { status: 504, title: 'The backend did not answer in time', fault: 'backend' },
  version_not_supported: { status: 505, title: 'The HTTP version is not supported', fault: 'client' },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof ERRORS;

/** How what a change was based on differs from what is there now. */
export interface Outdated {
  /** Revision that is there now. */
  readonly revision: number;
  /** What has changed since the revision that was seen; absent when that cannot be told any more. */
  readonly changes?: readonly Change[] | undefined;
}

/** An error with a place in the catalogue; `detail` is safe to show to whoever asked. */
export class UsherError extends Error {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly outdated: Outdated | undefined;

  constructor(code: ErrorCode, detail = '', options?: ErrorOptions & { readonly outdated?: Outdated }) {
    super(detail === '' ? ERRORS[code].title : detail, options);
    this.name = 'UsherError';
    this.code = code;
    this.detail = detail;
    this.outdated = options?.outdated;
  }
}

/** The body of an error answer (RFC 9457 section 3.1). */
export interface Problem extends Partial<Outdated> {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail?: string;
}

export function problemOf(code: ErrorCode, detail = '', outdated?: Outdated): Problem {
  const { status, title } = ERRORS[code];
  const type = `urn:usher:error:${code}`;
  const problem = { type, title, status, code, ...outdated };
  return detail === '' ? problem : { ...problem, detail };
}
