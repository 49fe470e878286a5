import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { UsherEvent } from '@usher/events';
import { type EventLog, LogReplacedError } from '@usher/ports';
import { follow, idsOf, latencyEvents, RecordingLog, recordsOf, tempDir, wallClock } from '@usher/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { inspectEmbedded } from './inspect.ts';
import { openEmbedded } from './open.ts';
import { openEmbeddedReader } from './reader.ts';

const MIB = 1024 * 1024;
const SUBJECT = 'usher.events.health.web-1';

const dirs: { remove(): void }[] = [];
const logs: EventLog[] = [];

function newDir(): string {
  const dir = tempDir();
  dirs.push(dir);
  return dir.path;
}

async function open(dir: string): Promise<EventLog> {
  const { events } = await openEmbedded({ dir, log: new RecordingLog(), clock: wallClock });
  logs.push(events);
  return events;
}

function large(bytes: number): UsherEvent[] {
  return latencyEvents(1).map((event) => ({ ...event, reason: 'x'.repeat(bytes) }));
}

function segment(dir: string, first: number): string {
  return join(dir, 'segments', `${String(first).padStart(16, '0')}.jsonl`);
}

afterEach(async () => {
  for (const log of logs.splice(0)) await log.close();
  for (const dir of dirs.splice(0)) dir.remove();
});

describe('segments of the embedded log', () => {
  it('begins a new one when the newest is full, and reads on over their borders', async () => {
    const dir = newDir();
    const log = await open(dir);
    const followed = follow(log);
    for (let index = 0; index < 14; index++) {
      await log.append({ subject: SUBJECT, events: large(10 * MIB) });
      await log.append({ subject: SUBJECT, events: latencyEvents(1) });
    }
    expect(readdirSync(join(dir, 'segments')).toSorted()).toEqual([
      '0000000000000001.jsonl',
      '0000000000000013.jsonl',
      '0000000000000025.jsonl',
    ]);
    const positions = async (after: number, until?: number) =>
      (await recordsOf(log, after, until)).map(({ position }) => position);
    expect(await positions(0)).toEqual(Array.from({ length: 28 }, (_, index) => index + 1));
    expect(await positions(11, 14)).toEqual([12, 13, 14]);
    expect(await positions(24)).toEqual([25, 26, 27, 28]);
    await followed.seen(28);
    await log.close();
    const again = await open(dir);
    expect(await again.head()).toBe(28);
    expect(await again.lastOf(SUBJECT)).toBe(28);
  });

  it('finds any position in a large segment', async () => {
    const log = await open(newDir());
    const drafts = Array.from({ length: 3000 }, () => ({ subject: SUBJECT, events: large(1000) }));
    await Promise.all(drafts.map((draft) => log.append(draft)));
    for (const after of [0, 1, 700, 1499, 2500, 2998, 2999]) {
      const [record] = await recordsOf(log, after, after + 1);
      expect(record?.events[0]?.id).toBe(drafts[after]?.events[0]?.id);
    }
  });

  it('knows the last sixteen thousand records when they are sent again, before and after a start', async () => {
    const dir = newDir();
    const log = await open(dir);
    const drafts = Array.from({ length: 40_000 }, () => ({ subject: SUBJECT, events: latencyEvents(1) }));
    await Promise.all(drafts.map((draft) => log.append(draft)));
    const known = async (events: EventLog) => {
      const again = await Promise.all(drafts.slice(-16_384).map((draft) => events.append(draft)));
      return again.every(({ duplicate }) => duplicate);
    };
    expect(await known(log)).toBe(true);
    await log.close();
    const reopened = await open(dir);
    expect(await known(reopened)).toBe(true);
    expect(await reopened.head()).toBe(40_000);
  });

  it('refuses a record that is larger than it can take', async () => {
    const log = await open(newDir());
    await expect(log.append({ subject: SUBJECT, events: large(17 * MIB) })).rejects.toThrow('larger than');
    expect(await log.head()).toBe(0);
  });
});

describe('a log without one of its segments', () => {
  it('tells at each start what is missing, sets it aside when read, and is whole again with the segment', async () => {
    const dir = newDir();
    const log = await open(dir);
    for (let index = 0; index < 14; index++) {
      await log.append({ subject: SUBJECT, events: large(10 * MIB) });
      await log.append({ subject: SUBJECT, events: latencyEvents(1) });
    }
    await log.close();
    renameSync(segment(dir, 13), join(dir, 'backup'));
    for (const index of ['with', 'without']) {
      if (index === 'without') rmSync(join(dir, 'index.json'));
      const errors = new RecordingLog();
      const { events, close } = await openEmbedded({ dir, log: errors, clock: wallClock });
      expect(errors.entries).toMatchObject([
        { level: 'error', fields: { loss: 'positions 13 to 24 are missing' } },
      ]);
      expect(events.status().fault).toContain('positions 13 to 24');
      const around = await recordsOf(events, 11, 26);
      expect(around.map(({ position }) => position)).toEqual([12, 24, 25, 26]);
      expect(around[1]?.quarantined).toMatchObject([
        { index: -1, cause: expect.stringContaining('missing') },
      ]);
      await close();
    }
    expect(await inspectEmbedded(dir)).toEqual(['positions 13 to 24 are missing']);
    renameSync(join(dir, 'backup'), segment(dir, 13));
    const whole = await open(dir);
    expect(whole.status().fault).toBeUndefined();
    expect(await recordsOf(whole)).toHaveLength(28);
    expect(await inspectEmbedded(dir)).toEqual([]);
  });

  it('does not write into a segment that was cut or removed beneath it', async () => {
    for (const meddle of [(path: string) => truncateSync(path, 100), (path: string) => rmSync(path)]) {
      const dir = newDir();
      const log = await open(dir);
      await log.append({ subject: SUBJECT, events: latencyEvents(1) });
      meddle(segment(dir, 1));
      await expect(log.append({ subject: SUBJECT, events: latencyEvents(1) })).rejects.toThrow(
        LogReplacedError,
      );
      expect(log.status()).toMatchObject({ connected: false, fault: expect.stringContaining('restart') });
      await expect(log.append({ subject: SUBJECT, events: latencyEvents(1) })).rejects.toThrow(
        LogReplacedError,
      );
    }
  });
});

describe('lock of the embedded log', () => {
  it('is for one writer, and names who has it', async () => {
    const dir = newDir();
    const log = await open(dir);
    await expect(open(dir)).rejects.toThrow(`in use by process ${process.pid}`);
    await log.close();
    await expect(open(dir)).resolves.toBeDefined();
  });

  it('is taken at once from a process that is dead, even when another has got its number', async () => {
    const dir = newDir();
    const log = await open(dir);
    const own = JSON.parse(readFileSync(join(dir, 'lock'), 'utf8')) as Record<string, unknown>;
    await log.close();
    expect(existsSync(join(dir, 'lock'))).toBe(false);
    for (const dead of [{ start: '1' }, { pid: 999_999_999 }]) {
      writeFileSync(join(dir, 'lock'), JSON.stringify({ ...own, owner: 'other', ...dead }));
      await (await open(dir)).close();
    }
  });

  it('of a process that cannot be seen is respected while it is renewed, and stale when it is no more', async () => {
    const dir = newDir();
    await (await open(dir)).close();
    const path = join(dir, 'lock');
    const foreign = { owner: 'x', pid: process.pid, start: '1', machine: 'm', namespace: 'pid:[1]' };
    writeFileSync(path, JSON.stringify(foreign));
    const renewing = setInterval(() => utimesSync(path, new Date(), new Date()), 100);
    await expect(open(dir)).rejects.toThrow('another container or machine');
    clearInterval(renewing);
    for (const stale of [JSON.stringify(foreign), 'garbage', '']) {
      writeFileSync(path, stale);
      utimesSync(path, 1, 1);
      await (await open(dir)).close();
      expect(existsSync(path)).toBe(false);
    }
  });

  it('that another has taken ends all writing, and is left to it', async () => {
    const dir = newDir();
    const log = await open(dir);
    await log.append({ subject: SUBJECT, events: latencyEvents(1) });
    const other = '{"owner":"other","pid":1,"start":"1","machine":"m","namespace":"pid:[1]"}';
    writeFileSync(join(dir, 'lock'), other);
    await vi.waitFor(
      async () => {
        const late = log.append({ subject: SUBJECT, events: latencyEvents(1) });
        await expect(late).rejects.toThrow(LogReplacedError);
      },
      { timeout: 10_000 },
    );
    expect(log.status()).toMatchObject({ connected: false, fault: expect.stringContaining('process 1') });
    await expect(log.saveSnapshot({ position: 1, format: 1, state: '' })).rejects.toThrow('no longer holds');
    await log.close();
    expect(readFileSync(join(dir, 'lock'), 'utf8')).toBe(other);
    expect(existsSync(join(dir, 'index.json'))).toBe(false);
  });
});

describe('reader of a log that another writes', () => {
  it('sees what is there, and follows, without a lock', async () => {
    const dir = newDir();
    const log = await open(dir);
    await log.append({ subject: SUBJECT, events: latencyEvents(1) });
    await log.saveSnapshot({ position: 1, format: 1, state: 'state' });
    const reader = await openEmbeddedReader(dir);
    expect(await reader.head()).toBe(1);
    expect(await reader.lastOf(SUBJECT)).toBe(1);
    expect((await reader.loadSnapshot())?.state).toBe('state');
    const ids: string[] = [];
    const enough = Promise.withResolvers<void>();
    const tail = reader.tail(0, (record) => {
      ids.push(...idsOf([record]));
      if (record.position === 101) enough.resolve();
    });
    await tail.caughtUp;
    expect(ids).toHaveLength(1);
    for (let index = 0; index < 100; index++) {
      await log.append({ subject: SUBJECT, events: latencyEvents(1) });
    }
    await enough.promise;
    expect(ids).toEqual(idsOf(await recordsOf(log)));
    await reader.close();
  });

  it('does not see a record whose end is missing, and sees it when it is there', async () => {
    const dir = newDir();
    const log = await open(dir);
    for (let index = 0; index < 3; index++) {
      await log.append({ subject: SUBJECT, events: latencyEvents(1) });
    }
    await log.close();
    const segment = join(dir, 'segments', '0000000000000001.jsonl');
    const whole = readFileSync(segment);
    writeFileSync(segment, whole.subarray(0, -10));
    const reader = await openEmbeddedReader(dir);
    const seen: number[] = [];
    const enough = Promise.withResolvers<void>();
    const tail = reader.tail(0, ({ position }) => {
      seen.push(position);
      if (position === 3) enough.resolve();
    });
    await tail.caughtUp;
    expect(seen).toEqual([1, 2]);
    writeFileSync(segment, whole);
    await enough.promise;
    expect(seen).toEqual([1, 2, 3]);
    await reader.close();
  });

  it('says so when there is no log', async () => {
    await expect(openEmbeddedReader(join(newDir(), 'missing'))).rejects.toThrow('no event log');
  });
});
