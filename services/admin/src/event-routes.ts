import { Readable } from 'node:stream';
import { UsherError } from '@usher/domain';
import type { ServiceContext } from '@usher/ports';
import type { FastifyInstance } from 'fastify';
import { EVENTS } from './api/read-docs.ts';
import { eventLines } from './event-stream.ts';
import { readFlag, readQuery, readWholeNumber } from './input.ts';

/** Each holds a consumer of the log and up to a megabyte that waits. */
const FOLLOWERS_MAX = 32;
/** How long a reader that was cut off may take to read that it was. */
const LAST_LINE_MS = 10_000;

/** `GET /v1/events`: the log as lines of JSON. */
export function registerEventRoutes(app: FastifyInstance, { events, clock }: ServiceContext): void {
  let followers = 0;
  app.get('/v1/events', EVENTS, async (request, reply) => {
    const query = readQuery(request.query, ['after', 'limit', 'follow']);
    const follow = query.follow !== undefined && readFlag('follow', query.follow);
    const limit =
      query.limit === undefined ? Number.POSITIVE_INFINITY : readWholeNumber('limit', query.limit);
    // Asked for first: a log that is away is answered with a problem, which a stream that has begun cannot be.
    const head = await events.head();
    const after = query.after === undefined ? (follow ? head : 0) : readWholeNumber('after', query.after);
    if (follow && followers >= FOLLOWERS_MAX)
      throw new UsherError('overloaded', `No more than ${FOLLOWERS_MAX} readers may follow the log here`);

    const left = new AbortController();
    followers += follow ? 1 : 0;
    reply.raw.once('close', () => {
      followers -= follow ? 1 : 0;
      left.abort();
    });
    const tooSlow = () => {
      const timer = clock.after(LAST_LINE_MS, () => reply.raw.destroy());
      left.signal.addEventListener('abort', () => timer.cancel());
    };
    const lines = eventLines(events, { after, limit, follow, signal: left.signal, tooSlow });
    const answer = async function* () {
      // A follower is to know at once that it follows, however long nothing happens.
      reply.raw.flushHeaders();
      yield* lines;
    };
    return reply.type('application/x-ndjson').send(Readable.from(answer()));
  });
}
