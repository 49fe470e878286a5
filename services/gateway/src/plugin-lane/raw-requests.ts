import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { ERRORS, type ErrorCode, problemOf } from '@usher/domain';
import { comparableHost, isToken } from '@usher/http1';
import type { RouteTraffic } from '../traffic/route-traffic.ts';
import { withoutQuery } from '../wire/outgoing-request.ts';
import { ownAnswer, type TurnedAway } from '../wire/own-answer.ts';
import { problemResponse } from '../wire/problem-response.ts';
import { retryAfterOf } from './problem-of-error.ts';

const REQUEST_ID_LENGTH_MAX = 128;

/** What the lane does with a request, or with what should have been one, before and without Fastify. */

/** Any other protocol that a client would like to change to is ignored, as RFC 9110 section 7.8 allows. */
export function isWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket';
}

/** Host and path to route by. An absolute target names the host itself and goes on in origin form (RFC 9112 section 3.2.2). */
export function target(request: IncomingMessage): { readonly host: string; readonly path: string } {
  const absolute = /^https?:\/\/([^/?#]*)/i.exec(request.url ?? '');
  if (absolute !== null) {
    const rest = (request.url ?? '').slice(absolute[0].length);
    request.url = rest.startsWith('/') ? rest : `/${rest}`;
    request.headers.host = absolute[1] ?? '';
  }
  const host = comparableHost((request.headers.host ?? '').replace(/:\d*$/, ''));
  return { host, path: withoutQuery(request.url ?? '/') };
}

/** The client's own request id if it is one and valid, else undefined. */
export function requestIdOf(
  { headers, headersDistinct }: IncomingMessage,
  traffic: RouteTraffic | undefined,
  trusted: boolean,
): string | undefined {
  if (traffic !== undefined) return traffic.requestId((name) => onlyOf(headersDistinct[name]), trusted);
  const given = headers['x-request-id'];
  return typeof given === 'string' && isToken(given, REQUEST_ID_LENGTH_MAX) ? given : undefined;
}

function onlyOf(values: readonly string[] | undefined): string | undefined {
  return values?.length === 1 ? values[0] : undefined;
}

/** Answers a request that was turned away. */
export function sendAway(response: ServerResponse, away: TurnedAway, requestId: string): void {
  const { status, fields, text } = ownAnswer(away, { requestId });
  response.writeHead(status, [...fields]).end(text);
}

/** Answers a request without Fastify. */
export function sendPlainProblem(
  response: ServerResponse,
  code: ErrorCode,
  requestId: string,
  retryAfterS = retryAfterOf({ code }),
): void {
  const body = JSON.stringify(problemOf(code));
  if (retryAfterS !== undefined) response.setHeader('retry-after', retryAfterS);
  response
    .writeHead(ERRORS[code].status, {
      'content-type': 'application/problem+json',
      'content-length': Buffer.byteLength(body),
      'x-request-id': requestId,
    })
    .end(body);
}

/** What Node's parser objects to, as an error of ours. */
export function codeOf({ code }: NodeJS.ErrnoException): ErrorCode {
  if (code === 'HPE_HEADER_OVERFLOW') return 'head_too_large';
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'request_timeout' : 'bad_request';
}

/** Answers and closes: nothing that comes after it on this connection can be trusted. */
export function refuse(socket: Duplex, code: ErrorCode, requestId: string): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const text = problemResponse(code, '', { requestId, connection: 'connection: close\r\n', toHead: false });
  socket.on('error', () => socket.destroy());
  socket.end(text, 'latin1');
  socket.resume();
}
