import type { IncomingMessage } from 'node:http';
import { Readable, Transform } from 'node:stream';
import { UsherError } from '@usher/domain';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { BodyCopy } from '../mirror/body-copy.ts';

/** Bodies known to be no longer than this are read before the first attempt, so that another attempt can send them again. */
const REPLAY_BYTES_MAX = 64 * 1024;

const NOTHING = Buffer.alloc(0);

/**
 * Hands bodies on unread, whatever their type, unless a plugin of the route brought a parser. They may be as long
 * as `limitOf` says, 0 = unlimited; a longer one is answered with `body_too_large` as soon as that is known. `wholeUpTo` says up to
 * which length a request's body has to be read whole before it goes on, `copyOf` who hears of one whose length is not told.
 */
export function passBodies(
  scope: FastifyInstance,
  limitOf: (request: IncomingMessage) => number,
  wholeUpTo: (request: IncomingMessage) => number,
  copyOf: (request: IncomingMessage) => BodyCopy | undefined,
): void {
  if (scope.hasContentTypeParser('*')) return;
  scope.addContentTypeParser('*', async (request: FastifyRequest, payload: IncomingMessage) => {
    const length = payload.headers['content-length'];
    const limitBytes = limitOf(request.raw);
    const wholeMax = Math.max(REPLAY_BYTES_MAX, wholeUpTo(request.raw));
    if (length !== undefined) {
      if (limitBytes > 0 && Number(length) > limitBytes) throw new UsherError('body_too_large');
      return Number(length) <= wholeMax ? readAll(payload) : payload;
    }
    const copy = copyOf(request.raw);
    const watched = limitBytes > 0 || copy !== undefined;
    const body = watched ? limited(payload, limitBytes || Infinity, copy) : payload;
    return wholeUpTo(request.raw) > 0 ? readUpTo(body, wholeMax) : body;
  });
}

/** The whole body if it is no longer than that, else a stream of all of it. */
async function readUpTo(body: Readable, maxBytes: number): Promise<Buffer | Readable> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const parts: AsyncIterator<Buffer> = body[Symbol.asyncIterator]();
  for (let part = await parts.next(); part.done !== true; part = await parts.next()) {
    chunks.push(part.value);
    bytes += part.value.length;
    if (bytes > maxBytes) return Readable.from(chained(chunks, parts), { objectMode: false });
  }
  return Buffer.concat(chunks);
}

async function* chained(read: readonly Buffer[], rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* read;
    for (let part = await rest.next(); part.done !== true; part = await rest.next()) yield part.value;
  } finally {
    await rest.return?.();
  }
}

async function readAll(payload: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of payload) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function limited(payload: IncomingMessage, limitBytes: number, copy: BodyCopy | undefined): Transform {
  let received = 0;
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      received += chunk.length;
      if (received > limitBytes) {
        done(new UsherError('body_too_large'));
        return;
      }
      copy?.add(chunk, 0, chunk.length, false);
      done(null, chunk);
    },
    flush(done) {
      copy?.add(NOTHING, 0, 0, true);
      done();
    },
  });
  payload.on('error', (error) => counter.destroy(error));
  return payload.pipe(counter);
}
