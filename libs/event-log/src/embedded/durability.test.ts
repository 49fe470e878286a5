import { readFileSync } from 'node:fs';
import { type FileHandle, open as openFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { UsherEvent } from '@usher/events';
import { type EventLog, LogUnavailableError } from '@usher/ports';
import { latencyEvents, RecordingLog, recordsOf, tempDir, wallClock } from '@usher/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openEmbedded } from './open.ts';

const SUBJECT = 'usher.events.health.web-1';

/** So large that few of it fill a segment. */
function large(): UsherEvent[] {
  return latencyEvents(1).map((event) => ({ ...event, reason: 'x'.repeat(15 * 1024 * 1024) }));
}

let dir: ReturnType<typeof tempDir>;
let events: EventLog;
let log: RecordingLog;

/** What all open files share: where a test can stand between the log and the disk. */
async function disk(): Promise<FileHandle> {
  const file = await openFile(join(dir.path, 'probe'), 'w');
  await file.close();
  return Object.getPrototypeOf(file) as FileHandle;
}

beforeEach(async () => {
  dir = tempDir();
  log = new RecordingLog();
  ({ events } = await openEmbedded({ dir: dir.path, log, clock: wallClock }));
  await events.append({ subject: SUBJECT, events: latencyEvents(1) });
});

afterEach(async () => {
  vi.restoreAllMocks();
  await events.close();
  dir.remove();
});

describe('durability of the embedded log', () => {
  it('neither acknowledges nor hands over a record before the disk has it', async () => {
    const sync = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    vi.spyOn(await disk(), 'datasync').mockImplementation(() => {
      started.resolve();
      return sync.promise;
    });
    const settled: string[] = [];
    const appended = events.append({ subject: SUBJECT, events: latencyEvents(1) });
    void appended.finally(() => settled.push('append'));
    await started.promise;
    expect(await events.head()).toBe(1);
    expect(await recordsOf(events)).toHaveLength(1);
    expect(settled).toEqual([]);
    sync.resolve();
    await appended;
    expect(await recordsOf(events)).toHaveLength(2);
  });

  it('refuses what it could not sync, leaves nothing of it behind, and says that it cannot write', async () => {
    const statuses: boolean[] = [];
    events.onStatus(({ connected }) => statuses.push(connected));
    const sync = vi.spyOn(await disk(), 'datasync').mockRejectedValue(new Error('no space left'));
    const long = { subject: SUBJECT, events: latencyEvents(50) };
    const outcomes = await Promise.allSettled([events.append(long), events.append(long)]);
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(LogUnavailableError) });
    }
    expect(statuses).toEqual([false]);
    expect(await events.head()).toBe(1);
    sync.mockRestore();
    const { position } = await events.append({ subject: SUBJECT, events: latencyEvents(1), expect: 1 });
    expect(position).toBe(2);
    expect(statuses).toEqual([false, true]);
    const lines = readFileSync(join(dir.path, 'segments', '0000000000000001.jsonl'), 'utf8').split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[2]).toBe('');
    expect((await events.append(long)).duplicate).toBe(false);
    expect(log.entries.map(({ level }) => level)).toEqual(['error']);
  });

  it('does not tell of a conflict with a record that was not stored', async () => {
    const sync = vi.spyOn(await disk(), 'datasync').mockRejectedValue(new Error('no space left'));
    const first = { subject: SUBJECT, events: latencyEvents(1), expect: 1 };
    const second = { subject: SUBJECT, events: latencyEvents(1), expect: 1 };
    const outcomes = await Promise.allSettled([events.append(first), events.append(second)]);
    expect(outcomes).toMatchObject([
      { reason: expect.any(LogUnavailableError) },
      { reason: expect.any(LogUnavailableError) },
    ]);
    sync.mockRestore();
    expect((await events.append(second)).position).toBe(2);
  });

  it('goes on in the right segment when a new one could not be made durable', async () => {
    for (let index = 0; index < 4; index++) await events.append({ subject: SUBJECT, events: large() });
    const sync = vi.spyOn(await disk(), 'sync').mockRejectedValue(new Error('no space left'));
    await expect(events.append({ subject: SUBJECT, events: large() })).rejects.toThrow(LogUnavailableError);
    sync.mockRestore();
    expect((await events.append({ subject: SUBJECT, events: latencyEvents(1) })).position).toBe(6);
    expect((await events.append({ subject: SUBJECT, events: large() })).position).toBe(7);
    await events.close();
    const again = new RecordingLog();
    ({ events } = await openEmbedded({ dir: dir.path, log: again, clock: wallClock }));
    expect((await recordsOf(events)).map(({ position }) => position)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(again.entries).toEqual([]);
  });
});
