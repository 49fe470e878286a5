import { ERRORS, type ErrorCode } from '@usher/domain';
import type { FieldList } from './response-fields.ts';

/** What is particular to a call of gRPC, compared with other requests. */
export interface GrpcCall {
  /** How long the caller waits for the end of it, from its beginning. */
  readonly patienceMs: number;
  /** The caller reads the outcome from trailers; those of gRPC-Web look for it in the body. */
  readonly trails: boolean;
}

const CONTENT_TYPE = /^application\/grpc(-web(-text)?)?(?:[+;]|$)/;
const TIMEOUT = /^(\d{1,8})([HMSmun])$/;
const UNIT_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

const INTERNAL = 13;
const UNAVAILABLE = 14;
const DEADLINE_EXCEEDED = 4;
/**
 * Statuses of gRPC by those of HTTP, for answers of our own: the mapping of gRPC for clients that get no status, refined where
 * we know better why.
 */
const BY_STATUS: Readonly<Record<number, number>> = {
  401: 16,
  403: 7,
  404: 12,
  408: DEADLINE_EXCEEDED,
  413: 8,
  429: 8,
  431: 8,
  501: 12,
  502: UNAVAILABLE,
  503: UNAVAILABLE,
  504: DEADLINE_EXCEEDED,
};

/** Undefined for a request that is no call of gRPC. */
export function grpcCall(contentType: string, timeout: string): GrpcCall | undefined {
  const match = CONTENT_TYPE.exec(contentType);
  if (match === null) return undefined;
  const [, count = '', unit = ''] = TIMEOUT.exec(timeout) ?? [];
  const patienceMs = unit === '' ? Infinity : Number(count) * (UNIT_MS[unit] ?? Infinity);
  return { patienceMs, trails: match[1] === undefined };
}

/** Why a call failed, as trailers. */
export function grpcTrailers(code: ErrorCode, detail: string): FieldList {
  const { status, title } = ERRORS[code];
  const message = detail === '' ? title : `${title}: ${detail}`;
  return ['grpc-status', String(BY_STATUS[status] ?? INTERNAL), 'grpc-message', percentEncoded(message)];
}

/** The answer to a call that failed before anything else: trailers without anything before them. */
export function grpcFailure(code: ErrorCode, detail: string, requestId: string): FieldList {
  const head = [':status', '200', 'content-type', 'application/grpc', 'x-request-id', requestId];
  return [...head, ...grpcTrailers(code, detail)];
}

function percentEncoded(message: string): string {
  return message.replaceAll(/[^ -$&-~]/g, (character) => encodeURIComponent(character));
}
