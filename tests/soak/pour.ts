import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

/** Writes pieces as fast as the other end takes them, and ends. Rejects when it takes no more. */
export async function pour(pieces: Iterable<Buffer>, sink: Writable): Promise<void> {
  const gone = new AbortController();
  sink.once('close', () => gone.abort());
  for (const piece of pieces) {
    if (!sink.write(piece)) await once(sink, 'drain', { signal: gone.signal });
  }
  sink.end();
}

/** Reads to the end, at most `bytesPerS`, and tells what came. */
export async function drink(
  source: Readable,
  bytesPerS: number,
): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const hash = createHash('sha256');
  const startMs = performance.now();
  let bytes = 0;
  for await (const piece of source as AsyncIterable<Buffer>) {
    hash.update(piece);
    bytes += piece.length;
    const aheadMs = (bytes / bytesPerS) * 1000 - (performance.now() - startMs);
    if (aheadMs > 1) await sleep(aheadMs);
  }
  return { bytes, sha256: hash.digest('hex') };
}
