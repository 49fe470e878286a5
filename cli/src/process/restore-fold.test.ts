import { FleetFold } from '@usher/actors';
import { type EventDraft, envelop } from '@usher/events';
import { MemoryEventLog, MemoryStorage, RecordingLog, SimulatedClock } from '@usher/testing';
import { expect, test } from 'vitest';
import { restoreFold } from './restore-fold.ts';

let ids = 0;
async function logWith(count: number) {
  const storage = new MemoryStorage();
  const events = new MemoryEventLog(new SimulatedClock(), storage);
  const fold = new FleetFold();
  const append = async () => {
    ids += 1;
    const drafts: EventDraft[] = [
      { type: 'gateway.started', subject: `g${ids}`, data: { gateway: `g${ids}`, version: '0', workers: 1 } },
    ];
    const batch = envelop(drafts, { source: 'usher/test', timeMs: 1, actor: 'test' }, () => `id-${ids}`);
    await events.append({ subject: 'usher.events.gateway.g', events: batch });
  };
  for (let index = 0; index < count; index++) await append();
  await events.replay(0, (record) => fold.apply(record));
  return { storage, events, fold, append };
}

async function replayed(events: MemoryEventLog): Promise<string> {
  const fold = new FleetFold();
  await events.replay(0, (record) => fold.apply(record));
  return fold.digest();
}

test('the newest snapshot that the log bears out is used', async () => {
  const { events, fold, append } = await logWith(5);
  await events.saveSnapshot(fold.snapshot());
  await append();
  const log = new RecordingLog();
  const restored = await restoreFold(events, log);
  expect(restored.position).toBe(5);
  expect(restored.digest()).toBe(fold.digest());
  expect(log.entries).toEqual([]);
});

test('a snapshot ahead of the log is not used, and that is said', async () => {
  const { storage, events, fold } = await logWith(5);
  await events.saveSnapshot(fold.snapshot());
  storage.records.length = 3;
  const log = new RecordingLog();
  const restored = await restoreFold(events, log);
  expect(restored.position).toBe(0);
  expect(log.entries).toMatchObject([{ level: 'error', fields: { head: 3, snapshot: 5 } }]);
});

test('a snapshot that is taken while another process starts is no loss of the log', async () => {
  const { events, fold, append } = await logWith(2);
  await events.saveSnapshot(fold.snapshot());
  /** Others go on between any two answers. */
  const busy = async <T>(answer: Promise<T>): Promise<T> => {
    const known = await answer;
    await append();
    await events.replay(fold.position, (record) => fold.apply(record));
    await events.saveSnapshot(fold.snapshot());
    return known;
  };
  const crowded = {
    replay: events.replay.bind(events),
    head: () => busy(events.head()),
    loadSnapshot: (until?: number) => busy(events.loadSnapshot(until)),
  };
  const log = new RecordingLog();
  const restored = await restoreFold(crowded, log);
  expect(restored.position).toBeGreaterThan(0);
  expect(log.entries).toEqual([]);
});

test('a snapshot of a log that was cut and has grown again is not used', async () => {
  const { storage, events, fold, append } = await logWith(5);
  await events.saveSnapshot(fold.snapshot());
  storage.records.length = 3;
  for (let index = 0; index < 4; index++) await append();
  const log = new RecordingLog();
  const restored = await restoreFold(events, log);
  await events.replay(restored.position, (record) => restored.apply(record));
  expect(restored.digest()).toBe(await replayed(events));
  expect(log.entries).toMatchObject([{ level: 'error', fields: { position: 5 } }]);
});

test('an older snapshot is used when the newer one cannot be read', async () => {
  const { events, fold, append } = await logWith(3);
  await events.saveSnapshot(fold.snapshot());
  await append();
  await append();
  await events.saveSnapshot({ ...fold.snapshot(), position: 5, state: '{"not":"a state"' });
  const log = new RecordingLog();
  expect((await restoreFold(events, log)).position).toBe(3);
  expect(log.entries).toMatchObject([{ level: 'warn', fields: { position: 5 } }]);
});

test('without the log the fold starts empty', async () => {
  const { events } = await logWith(3);
  events.setConnected(false);
  const log = new RecordingLog();
  expect((await restoreFold(events, log)).position).toBe(0);
  expect(log.entries).toMatchObject([{ level: 'warn' }]);
});
