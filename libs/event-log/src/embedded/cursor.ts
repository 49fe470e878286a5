import { type FileHandle, open } from 'node:fs/promises';
import { decodeRecord } from '@usher/events';
import type { LogRecord, Position } from '@usher/ports';
import { readFully, segmentPath } from './files.ts';
import { parseLine } from './line.ts';

/** What a cursor may read: for the writer's own readers what is durable, for others what is there. */
export interface Extent {
  /** First positions of the segments, ascending. */
  segments(): Promise<readonly Position[]> | readonly Position[];
  end(first: Position, handle: FileHandle): Promise<SegmentEnd>;
}

export interface SegmentEnd {
  /** How far a segment may be read. */
  readonly bytes: number;
  /** Position of the log's last record at the same moment; 0 when that is not known. */
  readonly head: Position;
}

const CHUNK_BYTES = 4 * 1024 * 1024;
/** A search for a position ends where reading on is as cheap as another probe. */
const SEARCH_BYTES = 256 * 1024;
const PROBE_BYTES = 64 * 1024;
const NEWLINE = 0x0a;
const DAMAGED = 'damaged: the line of this record in its segment is not what was written';

/** Reads records in order from a position on; can be asked again when there is more. */
export class Cursor {
  readonly #dir: string;
  readonly #extent: Extent;
  #position: Position;
  #place: { readonly first: Position; readonly handle: FileHandle; offset: number } | undefined;
  /** Bytes were passed over since the last good line, so records are missing here. */
  #damaged = false;
  #chunk = Buffer.alloc(0);

  constructor(dir: string, extent: Extent, after: Position) {
    this.#dir = dir;
    this.#extent = extent;
    this.#position = after;
  }

  /** Position of the last record handed over. */
  get position(): Position {
    return this.#position;
  }

  /** Hands over what can be read now, up to `until`, for as long as `wanted` says so. A failure to read leaves the cursor where it was. */
  async read(
    apply: (record: LogRecord) => void,
    until: Position,
    wanted: () => boolean = () => true,
  ): Promise<void> {
    try {
      const more = (): boolean => this.#position < until && wanted();
      while (more()) {
        // The list is read before the size: a segment that has a successor does not grow any more.
        const segments = await this.#extent.segments();
        const place = this.#place ?? (await this.#seek(segments));
        if (place === undefined) return;
        this.#place = place;
        const { head } = await this.#readSegment(place, apply, more);
        const next = segments.find((first) => first > place.first);
        this.#skipTo(next ?? head + 1, apply, more);
        if (next === undefined || !more()) return;
        await this.#leave();
        this.#place = { first: next, handle: await open(segmentPath(this.#dir, next)), offset: 0 };
      }
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#leave();
    this.#chunk = Buffer.alloc(0);
  }

  async #leave(): Promise<void> {
    const place = this.#place;
    this.#place = undefined;
    this.#damaged = false;
    await place?.handle.close();
  }

  async #readSegment(
    place: { readonly first: Position; readonly handle: FileHandle; offset: number },
    apply: (record: LogRecord) => void,
    more: () => boolean,
  ): Promise<SegmentEnd> {
    const end = await this.#extent.end(place.first, place.handle);
    let chunkBytes = CHUNK_BYTES;
    while (place.offset < end.bytes && more()) {
      const bytes = Math.min(chunkBytes, end.bytes - place.offset);
      if (this.#chunk.length < bytes) this.#chunk = Buffer.allocUnsafe(bytes);
      const filled = await readFully(place.handle, this.#chunk, bytes, place.offset);
      const consumed = this.#take(this.#chunk, filled, apply, more);
      place.offset += consumed;
      if (consumed > 0) continue;
      // Not one whole line: either it is longer than the chunk, or its end has not been written yet.
      if (filled < chunkBytes) break;
      chunkBytes *= 2;
    }
    return end;
  }

  /** Hands over the whole lines of a chunk; returns how many bytes they took. */
  #take(chunk: Buffer, bytes: number, apply: (record: LogRecord) => void, more: () => boolean): number {
    let start = 0;
    while (more()) {
      const end = chunk.indexOf(NEWLINE, start);
      if (end < 0 || end >= bytes) break;
      const line = parseLine(chunk, start, end);
      if (line === undefined) {
        this.#damaged = true;
      } else if (line.position > this.#position) {
        this.#skipTo(line.position, apply, more);
        if (!more()) break;
        this.#damaged = false;
        this.#position = line.position;
        const decoded = decodeRecord(chunk.toString('utf8', line.textStart, line.textEnd));
        apply({ position: line.position, subject: line.subject, ...decoded });
      }
      start = end + 1;
    }
    return start;
  }

  /**
   * Positions have no gaps on disk, so what is not there before the next good record was damaged, or is missing. Bad lines are
   * handed over one by one; what is missing without a trace, which may be much, as one.
   */
  #skipTo(next: Position, apply: (record: LogRecord) => void, more: () => boolean): void {
    while (this.#position + 1 < next && more()) {
      const from = this.#position + 1;
      this.#position = this.#damaged ? from : next - 1;
      const cause = this.#damaged ? DAMAGED : `missing: positions ${from} to ${next - 1} are not in the log`;
      apply({ position: this.#position, subject: '', events: [], quarantined: [{ index: -1, cause }] });
    }
  }

  /** The segment of the next record and an offset at or before it; undefined when there is no segment yet. */
  async #seek(segments: readonly Position[]) {
    const first = segments.findLast((candidate) => candidate <= this.#position + 1) ?? segments[0];
    if (first === undefined) return undefined;
    const handle = await open(segmentPath(this.#dir, first));
    try {
      const { bytes } = await this.#extent.end(first, handle);
      return { first, handle, offset: await lineBefore(handle, bytes, this.#position) };
    } catch (error) {
      await handle.close();
      throw error;
    }
  }
}

/** Offset of a line at most `SEARCH_BYTES` or so before the first record after `position`, found by bisection. */
async function lineBefore(handle: FileHandle, end: number, position: Position): Promise<number> {
  const probe = Buffer.allocUnsafe(PROBE_BYTES);
  let low = 0;
  let high = end;
  while (high - low > SEARCH_BYTES) {
    const middle = low + Math.floor((high - low) / 2);
    const filled = await readFully(handle, probe, PROBE_BYTES, middle);
    const found = firstLineIn(probe, filled);
    if (found !== undefined && found.position <= position) low = middle + found.start;
    else high = middle;
  }
  return low;
}

/** The first good line that begins after a line end. */
function firstLineIn(probe: Buffer, bytes: number): { position: Position; start: number } | undefined {
  let start = probe.indexOf(NEWLINE) + 1;
  while (start > 0 && start < bytes) {
    const end = probe.indexOf(NEWLINE, start);
    if (end < 0 || end >= bytes) return undefined;
    const line = parseLine(probe, start, end);
    if (line !== undefined) return { position: line.position, start };
    start = end + 1;
  }
  return undefined;
}
