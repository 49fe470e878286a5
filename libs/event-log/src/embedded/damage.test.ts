import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EventLog, LogRecord } from '@usher/ports';
import { latencyEvents, RecordingLog, recordsOf, tempDir, wallClock } from '@usher/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openEmbedded } from './open.ts';
import { openEmbeddedReader } from './reader.ts';

// Each of the properties waits for the disk some hundred times, which on one that others keep busy takes half a minute.
vi.setConfig({ testTimeout: 180_000 });

const RECORDS = 20;
const RUNS = 60;

const dir = tempDir();
const segment = join(dir.path, 'segments', '0000000000000001.jsonl');
let pristine: Buffer;
let originals: LogRecord[];

async function withLog(use: (events: EventLog, log: RecordingLog) => Promise<void>): Promise<void> {
  const log = new RecordingLog();
  const { events } = await openEmbedded({ dir: dir.path, log, clock: wallClock });
  try {
    await use(events, log);
  } finally {
    await events.close();
  }
}

/** Puts other bytes in the segment and forgets the index, so that nothing but these bytes counts. */
function store(bytes: Buffer): void {
  rmSync(join(dir.path, 'index.json'), { force: true });
  writeFileSync(segment, bytes);
}

beforeAll(async () => {
  await withLog(async (events) => {
    for (let index = 0; index < RECORDS; index++) {
      await events.append({
        subject: `usher.events.health.web-${index % 3}`,
        events: latencyEvents(2, index),
      });
    }
    originals = await recordsOf(events);
  });
  pristine = readFileSync(segment);
});

afterAll(() => dir.remove());

describe('embedded log with damaged files', () => {
  it('keeps every record before the place where the file was cut, and goes on from there', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: pristine.length }), async (length) => {
        store(pristine.subarray(0, length));
        // A line that lacks nothing but its end has all that was written of the record.
        const whole =
          pristine
            .subarray(0, length + 1)
            .toString()
            .split('\n').length - 1;
        await withLog(async (events, log) => {
          expect(await recordsOf(events)).toEqual(originals.slice(0, whole));
          const { position } = await events.append({ subject: 'usher.events.a', events: latencyEvents(1) });
          expect(position).toBe(whole + 1);
          const torn = pristine.subarray(0, length).at(-1) !== 0x0a && length > 0;
          expect(log.entries.some(({ level }) => level === 'warn')).toBe(torn);
        });
        await withLog(async (events, log) => {
          expect(await events.head()).toBe(whole + 1);
          expect(log.entries).toEqual([]);
        });
      }),
      { numRuns: RUNS },
    );
  });

  it('hands over all records but those that a flipped bit hit, each at its position', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: pristine.length - 1 }), fc.nat({ max: 7 }), async (at, bit) => {
        const bytes = Buffer.from(pristine);
        bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << bit), at);
        store(bytes);
        const reader = await openEmbeddedReader(dir.path);
        const seen: LogRecord[] = [];
        await reader.replay(0, (record) => seen.push(record));
        await withLog(async (events, log) => {
          const records = await recordsOf(events);
          // Whoever writes knows that damage at the very end was a record; a reader does not go beyond what it can read.
          expect(records.slice(0, seen.length)).toEqual(seen);
          expect(records.map(({ position }) => position)).toEqual(records.map((_, index) => index + 1));
          const lost = originals.filter(
            (original) => !records.some((record) => record.events[0]?.id === original.events[0]?.id),
          );
          // A flip in a line end damages the lines on both sides of it, but the end of the last one can be put back.
          expect(lost.length > 0).toBe(at < pristine.length - 1);
          expect(lost.length).toBeLessThanOrEqual(2);
          for (const record of records) {
            if (record.quarantined.length === 0) expect(record).toEqual(originals[record.position - 1]);
          }
          expect(log.entries.length).toBeGreaterThan(0);
          expect(events.status().fault === undefined).toBe(lost.length === 0);
          // What was acknowledged keeps its position, and nothing new gets it.
          const { position } = await events.append({ subject: 'usher.events.a', events: latencyEvents(1) });
          expect(position).toBeGreaterThan(RECORDS);
        });
      }),
      { numRuns: RUNS },
    );
  });

  it('survives any bytes instead of a segment', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), async (bytes) => {
        store(Buffer.from(bytes));
        const ends = Buffer.from(bytes).toString('latin1').split('\n').length - 1;
        await withLog(async (events) => {
          const found = await recordsOf(events);
          expect(found).toHaveLength(ends);
          expect(found.every((record) => record.quarantined.length === 1)).toBe(true);
          await events.append({ subject: 'usher.events.a', events: latencyEvents(1) });
          expect(await recordsOf(events)).toHaveLength(ends + 1);
        });
      }),
      { numRuns: RUNS },
    );
  });

  it('sets damaged records aside where they were and reports them when it opens', async () => {
    const lines = pristine.toString().split('\n');
    const damaged = lines.with(6, lines[6]?.replace('"latencyMs":6', '"latencyMs":7') ?? '');
    store(Buffer.from(damaged.join('\n')));
    await withLog(async (events, log) => {
      const records = await recordsOf(events);
      expect(records).toHaveLength(RECORDS);
      expect(records[6]).toMatchObject({ position: 7, events: [], quarantined: [{ index: -1 }] });
      expect(records.toSpliced(6, 1)).toEqual(originals.toSpliced(6, 1));
      expect(log.entries).toMatchObject([
        { level: 'error', fields: { loss: expect.stringContaining('1 record') } },
      ]);
      expect(await recordsOf(events, 6, 7)).toHaveLength(1);
    });
  });

  it('sets a record aside that gets damaged at the very end while the log is open', async () => {
    store(pristine);
    await withLog(async (events) => {
      const bytes = Buffer.from(pristine);
      bytes.writeUInt8(0x20, bytes.length - 2);
      writeFileSync(segment, bytes);
      const records = await recordsOf(events);
      expect(records.slice(0, -1)).toEqual(originals.slice(0, -1));
      expect(records.at(-1)).toMatchObject({ position: RECORDS, quarantined: [{ index: -1 }] });
    });
  });

  it('reads everything again when the index is damaged, or the files are shorter than it says', async () => {
    store(pristine);
    await withLog(async () => {});
    const indexFile = join(dir.path, 'index.json');
    writeFileSync(indexFile, readFileSync(indexFile, 'utf8').replace('web-1', 'web-9'));
    await withLog(async (events) => {
      expect(await events.lastOf('usher.events.health.web-1')).toBe(20);
    });
    truncateSync(segment, pristine.length - 2);
    await withLog(async (events) => {
      expect(await events.head()).toBe(RECORDS - 1);
      expect(await events.lastOf('usher.events.health.web-1')).toBe(17);
    });
  });

  it('keeps a damaged last record in its file and goes on behind its position, reporting it at each start', async () => {
    const lines = pristine.toString().split('\n');
    const damaged = lines.with(RECORDS - 1, lines[RECORDS - 1]?.replace('"latencyMs"', '"latencyMz"') ?? '');
    store(Buffer.from(damaged.join('\n')));
    for (let start = 1; start <= 2; start++) {
      await withLog(async (events, log) => {
        expect(log.entries).toMatchObject([{ level: 'error' }]);
        expect(events.status()).toMatchObject({ connected: true, fault: expect.stringContaining('backup') });
        const { position } = await events.append({ subject: 'usher.events.a', events: latencyEvents(1) });
        expect(position).toBe(RECORDS + start);
        const records = await recordsOf(events);
        expect(records[RECORDS - 1]).toMatchObject({ position: RECORDS, quarantined: [{ index: -1 }] });
      });
    }
    expect(readFileSync(segment, 'utf8')).toContain('"latencyMz"');
  });

  it('notices positions that are missing within a segment', async () => {
    const lines = pristine.toString().split('\n');
    store(Buffer.from(lines.toSpliced(4, 3).join('\n')));
    await withLog(async (events, log) => {
      const records = await recordsOf(events);
      expect(records.map(({ position }) => position)).toEqual([
        1, 2, 3, 4, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
      ]);
      expect(records[4]?.quarantined[0]?.cause).toContain('positions 5 to 7');
      expect(events.status().fault).toContain('3 records');
      expect(log.entries).toMatchObject([{ level: 'error' }]);
    });
  });

  it('says that the log is shorter than it was when it was closed', async () => {
    store(pristine);
    await withLog(async () => {});
    writeFileSync(segment, pristine.toString().split('\n').slice(0, 8).join('\n').concat('\n'));
    await withLog(async (events, log) => {
      expect(await events.head()).toBe(8);
      expect(log.entries).toMatchObject([{ level: 'error', fields: { head: 8, was: RECORDS } }]);
    });
  });

  it('leaves nothing but its files behind', async () => {
    store(pristine);
    await withLog(async () => {});
    expect(readdirSync(dir.path).toSorted()).toEqual(['index.json', 'segments', 'snapshots']);
  });
});
