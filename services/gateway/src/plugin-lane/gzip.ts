import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream';
import { constants, createBrotliCompress, createGzip } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

export interface GzipOptions {
  /** Responses known to be shorter are left alone; a response of unknown length is compressed. Default 1024. */
  readonly minSizeBytes: number;
}

/** Of what text is made. Event streams are left out: each event must leave at once and in whole. */
const COMPRESSIBLE =
  /^(?:text\/(?!event-stream)[\w.+-]+|application\/(?:json|javascript|xml|wasm|x-ndjson|manifest\+json|[\w.+-]+\+(?:json|xml))|image\/svg\+xml|font\/(?:ttf|otf))(?:\s*;|$)/i;

/** Brotli at quality 4 costs about as much as gzip at 6 and compresses a little better; its default, 11, is for files. */
const BROTLI_QUALITY = 4;

/**
 * The built-in plugin `gzip`: compresses responses by what the client accepts, br before gzip. It streams: what the
 * backend has sent so far reaches the client without waiting for more. Left alone are what is compressed already, parts
 * of a whole (206), what is too short or does not compress, and whatever says `Cache-Control: no-transform`.
 */
export async function gzip(app: FastifyInstance, options: GzipOptions): Promise<void> {
  app.addHook('onSend', async (request, reply, payload) => {
    if (!isStream(payload) || !mayCompress(reply, options.minSizeBytes)) return payload;
    // From here on the answer depends on what the client accepts, and a cache has to know even if this one goes out plain.
    addVary(reply);
    const encoding = preferredEncoding(request);
    if (encoding === undefined || request.method === 'HEAD') return payload;
    reply.header('content-encoding', encoding);
    reply.removeHeader('content-length');
    reply.removeHeader('accept-ranges');
    weakenTag(reply);
    // Errors reach both ends through the streams themselves: the compressor is destroyed with its source and its sink.
    return pipeline(payload, encoding === 'br' ? brotliStream() : gzipStream(), () => {});
  });
}

function isStream(payload: unknown): payload is Readable {
  return typeof payload === 'object' && payload !== null && 'pipe' in payload;
}

function mayCompress(reply: FastifyReply, minSizeBytes: number): boolean {
  const { statusCode } = reply;
  if (statusCode < 200 || statusCode === 204 || statusCode === 206 || statusCode === 304) return false;
  if (reply.hasHeader('content-encoding') || reply.hasHeader('content-range')) return false;
  if (!COMPRESSIBLE.test(String(reply.getHeader('content-type') ?? ''))) return false;
  const length = reply.getHeader('content-length');
  if (length !== undefined && Number(length) < minSizeBytes) return false;
  return !/\bno-transform\b/i.test(String(reply.getHeader('cache-control') ?? ''));
}

/** The best of br and gzip by Accept-Encoding (RFC 9110 section 12.5.3); undefined when neither is wanted more than plain. */
function preferredEncoding(request: FastifyRequest): 'br' | 'gzip' | undefined {
  const accepted = request.headers['accept-encoding'];
  if (accepted === undefined) return undefined;
  const quality = new Map<string, number>();
  for (const item of accepted.toLowerCase().split(',')) {
    const [coding = '', ...parameters] = item.split(';').map((part) => part.trim());
    const q = parameters.find((parameter) => parameter.startsWith('q='));
    quality.set(coding, q === undefined ? 1 : Number(q.slice(2)) || 0);
  }
  const any = quality.get('*') ?? 0;
  const br = quality.get('br') ?? any;
  const gzipped = quality.get('gzip') ?? quality.get('x-gzip') ?? any;
  const plain = quality.get('identity') ?? 0;
  if (Math.max(br, gzipped) <= 0 || Math.max(br, gzipped) < plain) return undefined;
  return br >= gzipped ? 'br' : 'gzip';
}

function gzipStream() {
  return createGzip({ flush: constants.Z_SYNC_FLUSH });
}

function brotliStream() {
  const params = { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY };
  return createBrotliCompress({ flush: constants.BROTLI_OPERATION_FLUSH, params });
}

function addVary(reply: FastifyReply): void {
  const vary = String(reply.getHeader('vary') ?? '');
  if (vary === '*' || /\baccept-encoding\b/i.test(vary)) return;
  reply.header('vary', vary === '' ? 'accept-encoding' : `${vary}, accept-encoding`);
}

/** A strong validator names bytes, and these are other bytes now (RFC 9110 section 8.8.1). */
function weakenTag(reply: FastifyReply): void {
  const tag = reply.getHeader('etag');
  if (typeof tag === 'string' && tag.startsWith('"')) reply.header('etag', `W/${tag}`);
}
