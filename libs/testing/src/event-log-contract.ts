import { ConflictError, LogUnavailableError, type Position } from '@usher/ports';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  ContractContext,
  type EventLogHarness,
  idsOf,
  latencyEvents,
  OTHER_SUBJECT,
  recordsOf,
  SUBJECT,
} from './event-log-harness.ts';
import { testReading } from './event-log-reading-contract.ts';
import { testSnapshots } from './event-log-snapshot-contract.ts';

/** The contract of the EventLog port: every driver runs it. */
export function testEventLog(name: string, createHarness: () => Promise<EventLogHarness>): void {
  describe(`event log contract: ${name}`, () => {
    const context = new ContractContext(createHarness);
    beforeEach(() => context.start());
    afterEach(() => context.end());
    testAppending(context);
    testConditions(context);
    testIdempotence(context);
    testReading(context);
    testSnapshots(context);
    testClosing(context);
  });
}

function testAppending(context: ContractContext): void {
  it('is empty at first', async () => {
    const { log } = context;
    expect(await log.head()).toBe(0);
    expect(await log.lastOf(SUBJECT)).toBe(0);
    expect(await recordsOf(log)).toEqual([]);
    expect(log.status().connected).toBe(true);
  });

  it('gives increasing positions and knows the last of each subject and of all', async () => {
    const { log } = context;
    const first = await log.append({ subject: SUBJECT, events: latencyEvents(1) });
    const second = await log.append({ subject: OTHER_SUBJECT, events: latencyEvents(1) });
    expect(first).toEqual({ position: 1, duplicate: false });
    expect(second.position).toBeGreaterThan(first.position);
    expect(await log.head()).toBe(second.position);
    expect(await log.lastOf(SUBJECT)).toBe(first.position);
    expect(await log.lastOf(OTHER_SUBJECT)).toBe(second.position);
  });

  it('keeps the events of a record together, in order and as they were', async () => {
    const events = latencyEvents(50);
    await context.log.append({ subject: SUBJECT, events });
    const records = await recordsOf(context.log);
    expect(records).toEqual([{ position: 1, subject: SUBJECT, events, quarantined: [] }]);
  });

  it('keeps what was appended in one go in the order of the calls', async () => {
    const { log } = context;
    const drafts = Array.from({ length: 100 }, (_, index) => ({
      subject: index % 2 === 0 ? SUBJECT : OTHER_SUBJECT,
      events: latencyEvents(2, index),
    }));
    const appended = await Promise.all(drafts.map((draft) => log.append(draft)));
    const positions = appended.map(({ position }) => position);
    expect(positions).toEqual(positions.toSorted((a, b) => a - b));
    expect(idsOf(await recordsOf(log))).toEqual(drafts.flatMap(({ events }) => events.map(({ id }) => id)));
  });

  it('refuses a record without events', async () => {
    await expect(context.log.append({ subject: SUBJECT, events: [] })).rejects.toThrow(RangeError);
    expect(await context.log.head()).toBe(0);
  });

  it('shows the same records after it has been closed and opened again', async () => {
    for (let index = 0; index < 20; index++) {
      await context.log.append({ subject: SUBJECT, events: latencyEvents(3, index) });
    }
    const before = await recordsOf(context.log);
    await context.reopen();
    expect(await recordsOf(context.log)).toEqual(before);
    expect(await context.log.head()).toBe(20);
    expect(await context.log.lastOf(SUBJECT)).toBe(20);
    expect((await context.log.append({ subject: SUBJECT, events: latencyEvents(1) })).position).toBe(21);
  });
}

function testConditions(context: ContractContext): void {
  it('appends on condition of the position of the subject, whatever the others do', async () => {
    const { log } = context;
    const first = await log.append({ subject: SUBJECT, events: latencyEvents(1), expect: 0 });
    await log.append({ subject: OTHER_SUBJECT, events: latencyEvents(1), expect: 0 });
    const next = await log.append({ subject: SUBJECT, events: latencyEvents(1), expect: first.position });
    expect(await log.lastOf(SUBJECT)).toBe(next.position);
  });

  it('refuses an append whose condition does not hold and tells where the subject is', async () => {
    const { log } = context;
    const { position } = await log.append({ subject: SUBJECT, events: latencyEvents(1) });
    const stale = log.append({ subject: SUBJECT, events: latencyEvents(1), expect: 0 });
    const refused = await stale.catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ConflictError);
    expect((refused as ConflictError).actual).toBe(position);
    const early = log.append({ subject: OTHER_SUBJECT, events: latencyEvents(1), expect: position });
    expect(((await early.catch((error: unknown) => error)) as ConflictError).actual).toBe(0);
    expect(await log.head()).toBe(position);
  });

  it('lets exactly one of many racing writers win, on an empty subject and later', async () => {
    const { log } = context;
    let last: Position = 0;
    for (let round = 0; round < 5; round++) {
      const racers = Array.from({ length: 10 }, () =>
        log.append({ subject: SUBJECT, events: latencyEvents(1), expect: last }),
      );
      const outcomes = await Promise.allSettled(racers);
      const winners = outcomes.filter((outcome) => outcome.status === 'fulfilled');
      expect(winners).toHaveLength(1);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(ConflictError);
      }
      last = winners[0]?.value.position ?? 0;
    }
    expect(await recordsOf(log)).toHaveLength(5);
  });
}

function testIdempotence(context: ContractContext): void {
  it('stores a record once however often it is sent', async () => {
    const draft = { subject: SUBJECT, events: latencyEvents(3) };
    const { position } = await context.log.append(draft);
    const again = await Promise.all([context.log.append(draft), context.log.append(draft)]);
    expect(again).toEqual([
      { position, duplicate: true },
      { position, duplicate: true },
    ]);
    expect(await recordsOf(context.log)).toHaveLength(1);
  });

  it('stores a record once when it is sent twice in one go', async () => {
    const draft = { subject: SUBJECT, events: latencyEvents(1) };
    const appended = await Promise.all([context.log.append(draft), context.log.append(draft)]);
    expect(appended.map(({ duplicate }) => duplicate)).toEqual([false, true]);
    expect(await recordsOf(context.log)).toHaveLength(1);
  });

  it('recognises a conditional append that is sent again, also when others have followed', async () => {
    const draft = { subject: SUBJECT, events: latencyEvents(1), expect: 0 };
    const { position } = await context.log.append(draft);
    expect(await context.log.append(draft)).toEqual({ position, duplicate: true });
    await context.log.append({ subject: SUBJECT, events: latencyEvents(1), expect: position });
    expect(await context.log.append(draft)).toEqual({ position, duplicate: true });
    expect(await recordsOf(context.log)).toHaveLength(2);
  });

  it('recognises a record that is sent again after the log was opened again', async () => {
    const draft = { subject: SUBJECT, events: latencyEvents(1) };
    const { position } = await context.log.append(draft);
    await context.reopen();
    expect(await context.log.append(draft)).toEqual({ position, duplicate: true });
  });
}

function testClosing(context: ContractContext): void {
  it('refuses everything once it is closed', async () => {
    const { log } = context;
    await log.close();
    await log.close();
    await expect(log.append({ subject: SUBJECT, events: latencyEvents(1) })).rejects.toThrow(
      LogUnavailableError,
    );
    await expect(log.replay(0, () => {})).rejects.toThrow(LogUnavailableError);
    await expect(log.head()).rejects.toThrow(LogUnavailableError);
    await expect(log.loadSnapshot()).rejects.toThrow(LogUnavailableError);
    expect(() => log.tail(0, () => {})).toThrow(LogUnavailableError);
  });

  it('hands over nothing more to a tail once it is closed', async () => {
    const { log } = context;
    const seen: Position[] = [];
    const tail = log.tail(0, (record) => seen.push(record.position));
    await tail.caughtUp;
    await log.append({ subject: SUBJECT, events: latencyEvents(1) });
    await log.close();
    const before = seen.length;
    await context.reopen();
    await context.log.append({ subject: SUBJECT, events: latencyEvents(1) });
    expect(seen).toHaveLength(before);
  });
}
