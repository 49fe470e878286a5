import type { IncomingMessage } from 'node:http';
import { Transform } from 'node:stream';
import { UsherError } from '@usher/domain';
import type { FastifyInstance } from 'fastify';

/** Bodies known to be no longer than this are read before the first attempt, so that another attempt can send them again. */
const REPLAY_BYTES_MAX = 64 * 1024;

/**
 * Hands bodies on unread, whatever their type, unless a plugin of the route brought a parser. They may be `limitBytes`
 * long, 0 = unlimited; a longer one is answered with `body_too_large` as soon as that is known.
 */
export function passBodies(scope: FastifyInstance, limitBytes: number): void {
  if (scope.hasContentTypeParser('*')) return;
  scope.addContentTypeParser('*', async (_request: unknown, payload: IncomingMessage) => {
    const length = payload.headers['content-length'];
    if (length === undefined) return limitBytes > 0 ? limited(payload, limitBytes) : payload;
    if (limitBytes > 0 && Number(length) > limitBytes) throw new UsherError('body_too_large');
    return Number(length) <= REPLAY_BYTES_MAX ? readAll(payload) : payload;
  });
}

async function readAll(payload: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of payload) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function limited(payload: IncomingMessage, limitBytes: number): Transform {
  let received = 0;
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      received += chunk.length;
      if (received > limitBytes) done(new UsherError('body_too_large'));
      else done(null, chunk);
    },
  });
  payload.on('error', (error) => counter.destroy(error));
  return payload.pipe(counter);
}
