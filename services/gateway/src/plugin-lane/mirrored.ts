import { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { BodyCopy } from '../mirror/body-copy.ts';
import type { Mirrors } from '../mirror/mirrors.ts';
import type { Arrival } from './exchange.ts';
import { forwardedRequestHeaders } from './forwarded.ts';
import { featuresOfMessage } from './request-features.ts';

/** Has a copy of a request sent to where its route says, if it says so. `target`: path and query as the backend gets them. */
export function copyMessage(
  mirrors: Pick<Mirrors, 'follow'>,
  { copy, entry }: Arrival,
  request: FastifyRequest,
  target: string,
): void {
  const { mirror } = entry;
  if (copy === undefined || mirror === undefined) return;
  const { arrival } = copy;
  const features = featuresOfMessage(request, arrival);
  if (typeof features === 'string') {
    mirror.count('unfit');
    return;
  }
  const { method } = request;
  const body = bodyOf(request, copy.body);
  if (body === 'lost') {
    mirror.count('too_long');
    return;
  }
  const { host, 'content-length': _length, ...headers } = forwardedRequestHeaders(request.headers, arrival);
  let head = `${method} ${target} HTTP/1.1\r\n`;
  for (const [name, values] of Object.entries(headers))
    for (const value of [values ?? []].flat()) head += `${name}: ${value}\r\n`;
  if (host !== undefined) head += `host: ${String(host)}\r\n`;
  mirrors.follow({
    mirror,
    head,
    received: { method, minor: 1, authority: String(host ?? '') },
    features,
    preface: '',
    id: arrival.requestId,
    body,
    framed: false,
  });
}

/** What was read of it, or what passes by; `lost`: what nobody keeps, or a plugin has made something else of. */
function bodyOf({ body, headers }: FastifyRequest, passing: BodyCopy): BodyCopy | undefined | 'lost' {
  if (body === undefined || body === null) return undefined;
  if (Buffer.isBuffer(body)) return new BodyCopy([body], true);
  return body instanceof Readable && headers['content-length'] === undefined ? passing : 'lost';
}
