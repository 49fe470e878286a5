import type { ServerHttp2Stream } from 'node:http2';

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
  stream.on('trailers', (_headers: unknown, _flags: number, raw: string[]) => {
    for (let i = 0; i + 1 < raw.length; i += 2) trailers += `${raw[i]}: ${raw[i + 1]}\r\n`;
  });
  stream.on('end', () => {
    // A stream that was reset ends too, but not its body.
    if (!stream.closed) take(Buffer.from(`0\r\n${trailers}\r\n`, 'latin1'));
  });
}

function chunkOf(data: Buffer): Buffer {
  const size = `${data.length.toString(16)}\r\n`;
  const chunk = Buffer.allocUnsafe(size.length + data.length + 2);
  chunk.write(size, 0, 'latin1');
  chunk.set(data, size.length);
  chunk.write('\r\n', size.length + data.length, 'latin1');
  return chunk;
}
