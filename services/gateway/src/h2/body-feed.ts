import type { ServerHttp2Stream } from 'node:http2';
import { chunkOf, lastChunk } from './chunks.ts';
import { trailerLines } from './response-text.ts';

/** Reads the body of a request from its stream and gives it to `take` in the framing of HTTP/1.1. `chunked`: no length was announced. */
export function feedBody(stream: ServerHttp2Stream, chunked: boolean, take: (bytes: Buffer) => void): void {
  if (!chunked) {
    stream.on('data', take);
    return;
  }
  let trailers = '';
  stream.on('data', (data: Buffer) => {
    if (data.length > 0) take(chunkOf(data));
  });
  stream.on('trailers', (_headers: unknown, _flags: number, raw: string[]) => (trailers = trailerLines(raw)));
  stream.on('end', () => {
    // A stream that was reset ends too, but not its body.
    if (!stream.closed) take(lastChunk(trailers));
  });
}
