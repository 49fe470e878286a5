/** One chunk of the chunked coding (RFC 9112 section 7.1). */
export function chunkOf(data: Buffer): Buffer {
  const size = `${data.length.toString(16)}\r\n`;
  const chunk = Buffer.allocUnsafe(size.length + data.length + 2);
  chunk.write(size, 0, 'latin1');
  chunk.set(data, size.length);
  chunk.write('\r\n', size.length + data.length, 'latin1');
  return chunk;
}

/** The end of a chunked body. `trailers`: lines with their ends. */
export function lastChunk(trailers: string): Buffer {
  return Buffer.from(`0\r\n${trailers}\r\n`, 'latin1');
}
