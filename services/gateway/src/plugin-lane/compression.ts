import type { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream';
import { constants, createBrotliCompress, createGzip, createZstdCompress } from 'node:zlib';
import type { Coding, CompressionSettings } from '@usher/domain';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { preferredCoding } from './accept-encoding.ts';

/** Of what text is made. Event streams are left out: they are many, long and thin, and each would keep an encoder. */
const COMPRESSIBLE =
  /^(?:text\/(?!event-stream)[\w.+-]+|application\/(?:json|javascript|xml|wasm|x-ndjson|manifest\+json|[\w.+-]+\+(?:json|xml))|image\/svg\+xml|font\/(?:ttf|otf))$/i;
const EVENT_STREAM = 'text/event-stream';

/** 512 KiB: what an encoder remembers is the most that it costs in memory, and further back there is little to find. */
const WINDOW_BITS = 19;

/** Bytes of an answer that somebody vouches for; compressed they would be others. */
const DIGESTS = ['content-digest', 'repr-digest', 'digest', 'content-md5'];

/**
 * The built-in plugin `compression`: compresses answers by what the client accepts. It streams: what the backend has sent
 * so far reaches the client without waiting for more, and no more is read than the client takes. Left alone are what is
 * compressed already, parts of a whole (206), what is too short or does not compress, what comes with a digest of its
 * bytes, and whatever says `Cache-Control: no-transform` (RFC 9111 section 5.2.2.6).
 */
export async function compression(app: FastifyInstance, settings: CompressionSettings): Promise<void> {
  const isCompressible = typeTest(settings.types);
  app.addHook('onSend', async (request, reply, payload) => {
    if (reply.statusCode === 304) confirmAsSent(reply, request.headers['if-none-match']);
    if (!isStream(payload) || !mayCompress(reply, settings.minSizeBytes, isCompressible)) return payload;
    // From here on the answer depends on what the client accepts, and a cache has to know even if this one goes out plain.
    addVary(reply);
    const coding = preferredCoding(request.headers['accept-encoding'], settings.codings);
    if (coding === undefined || request.method === 'HEAD') return payload;
    const encoder = encoderOf(coding, settings.levels[coding]);
    // Without memory for it the answer goes out as it is.
    if (encoder === undefined) return payload;
    reply.header('content-encoding', coding);
    reply.removeHeader('content-length');
    reply.removeHeader('accept-ranges');
    weakenTag(reply);
    // Before `pipeline` hands the error on, which would then look like one of the backend's.
    encoder.once('error', () => payload.destroy());
    // Errors reach both ends through the streams themselves: the encoder is destroyed with its source and its sink.
    return pipeline(payload, encoder, () => {});
  });
}

function isStream(payload: unknown): payload is Readable {
  return typeof payload === 'object' && payload !== null && 'pipe' in payload;
}

function mayCompress(
  reply: FastifyReply,
  minSizeBytes: number,
  isCompressible: (mediaType: string) => boolean,
): boolean {
  const { statusCode } = reply;
  if (statusCode < 200 || statusCode === 204 || statusCode === 206 || statusCode === 304) return false;
  if (reply.hasHeader('content-encoding') || reply.hasHeader('content-range')) return false;
  if (DIGESTS.some((name) => reply.hasHeader(name))) return false;
  const mediaType = String(reply.getHeader('content-type') ?? '').split(';', 1)[0]!;
  if (!isCompressible(mediaType.trim().toLowerCase())) return false;
  const length = reply.getHeader('content-length');
  if (length !== undefined && Number(length) < minSizeBytes) return false;
  return !/\bno-transform\b/i.test(String(reply.getHeader('cache-control') ?? ''));
}

/** Event streams are compressed only where they are named: `text/*` does not mean them. */
function typeTest(types: readonly string[] | undefined): (mediaType: string) => boolean {
  if (types === undefined) return (mediaType) => COMPRESSIBLE.test(mediaType);
  const patterns = types.map((type) =>
    type
      .split('*')
      .map((part) => RegExp.escape(part))
      .join('[^/]*'),
  );
  const test = new RegExp(`^(?:${patterns.join('|')})$`);
  const events = types.includes(EVENT_STREAM);
  return (mediaType) => (mediaType === EVENT_STREAM ? events : test.test(mediaType));
}

/** Each flushes what it has with every piece that it is given; undefined when there is no memory for one. */
function encoderOf(coding: Coding, level: number): Transform | undefined {
  try {
    if (coding === 'gzip') return createGzip({ flush: constants.Z_SYNC_FLUSH, level });
    if (coding === 'br')
      return createBrotliCompress({
        flush: constants.BROTLI_OPERATION_FLUSH,
        params: {
          [constants.BROTLI_PARAM_QUALITY]: level,
          [constants.BROTLI_PARAM_LGWIN]: WINDOW_BITS,
        },
      });
    return createZstdCompress({
      flush: constants.ZSTD_e_flush,
      params: {
        [constants.ZSTD_c_compressionLevel]: level,
        [constants.ZSTD_c_windowLog]: WINDOW_BITS,
      },
    });
  } catch {
    return undefined;
  }
}

function addVary(reply: FastifyReply): void {
  const vary = String(reply.getHeader('vary') ?? '');
  if (vary === '*' || /\baccept-encoding\b/i.test(vary)) return;
  reply.header('vary', vary === '' ? 'accept-encoding' : `${vary}, accept-encoding`);
}

/**
 * A 304 says of the answer that the client has what that said (RFC 9110 section 15.4.5). Whoever asks by the weak form of a
 * strong tag has an answer that was compressed here.
 */
function confirmAsSent(reply: FastifyReply, known = ''): void {
  const tag = reply.getHeader('etag');
  if (typeof tag !== 'string' || !tag.startsWith('"') || !known.includes(`W/${tag}`)) return;
  addVary(reply);
  weakenTag(reply);
}

/** A strong validator names bytes, and these are other bytes now (RFC 9110 section 8.8.1). */
function weakenTag(reply: FastifyReply): void {
  const tag = reply.getHeader('etag');
  if (typeof tag === 'string' && tag.startsWith('"')) reply.header('etag', `W/${tag}`);
}
