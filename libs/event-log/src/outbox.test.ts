import type { UsherEvent } from '@usher/events';
import { type Appended, LogUnavailableError, type RecordDraft } from '@usher/ports';
import {
  idsOf,
  latencyEvents,
  MemoryEventLog,
  RecordingLog,
  recordsOf,
  SimulatedClock,
} from '@usher/testing';
import { describe, expect, it } from 'vitest';
import { RecordTooLargeError } from './draft.ts';
import { createOutbox } from './outbox.ts';

const SUBJECT = 'usher.events.gateway.gw-1';
const OTHER = 'usher.events.gateway.gw-2';

/** A log whose appends can be made to go wrong. */
class UnreliableLog extends MemoryEventLog {
  fail: (draft: RecordDraft) => 'before' | 'after' | Error | undefined = () => undefined;
  readonly drafts: RecordDraft[] = [];

  override async append(draft: RecordDraft): Promise<Appended> {
    this.drafts.push(draft);
    const failure = this.fail(draft);
    if (failure instanceof Error) throw failure;
    if (failure === 'before') throw new LogUnavailableError('lost on the way there');
    const appended = await super.append(draft);
    if (failure === 'after') throw new LogUnavailableError('lost on the way back');
    return appended;
  }
}

function setUp(pendingMax?: number) {
  const clock = new SimulatedClock();
  const log = new UnreliableLog(clock);
  const operators = new RecordingLog();
  const limits = pendingMax === undefined ? {} : { pendingMax };
  const outbox = createOutbox({ events: log, clock, log: operators, ...limits });
  return { clock, log, operators, outbox };
}

/** Lets promises settle, and time pass where the outbox waits for it. */
async function settle(clock: SimulatedClock): Promise<void> {
  for (let turn = 0; turn < 20; turn++) {
    await new Promise(setImmediate);
    clock.advance(2000);
  }
}

const ids = (events: readonly UsherEvent[]): string[] => events.map(({ id }) => id);

describe('outbox', () => {
  it('makes everything durable in the order in which it was offered', async () => {
    const { log, outbox } = setUp();
    const events = latencyEvents(120);
    for (let start = 0; start < 120; start += 10) outbox.offer(SUBJECT, events.slice(start, start + 10));
    expect(outbox.pending).toBe(120);
    await outbox.flush(1000);
    expect(outbox.pending).toBe(0);
    expect(idsOf(await recordsOf(log))).toEqual(ids(events));
  });

  it('puts up to fifty events into a record', async () => {
    const { log, outbox } = setUp();
    for (const event of latencyEvents(130)) outbox.offer(SUBJECT, [event]);
    await outbox.flush(1000);
    expect((await recordsOf(log)).map(({ events }) => events.length)).toEqual([50, 50, 30]);
  });

  it('does not make one subject wait for another', async () => {
    const { clock, log, outbox } = setUp();
    log.fail = ({ subject }) => (subject === SUBJECT ? 'before' : undefined);
    const blocked = latencyEvents(3);
    const free = latencyEvents(3);
    outbox.offer(SUBJECT, blocked);
    outbox.offer(OTHER, free);
    await settle(clock);
    expect(idsOf(await recordsOf(log))).toEqual(ids(free));
    expect(outbox.pending).toBe(3);
    log.fail = () => undefined;
    await settle(clock);
    expect(idsOf(await recordsOf(log))).toEqual([...ids(free), ...ids(blocked)]);
  });

  it('stores each event once and in order when requests and answers get lost', async () => {
    const { clock, log, outbox } = setUp();
    let tries = 0;
    log.fail = () => (['before', 'after', 'after', undefined] as const)[tries++ % 4];
    const events = latencyEvents(400);
    for (let start = 0; start < 400; start += 20) {
      outbox.offer(SUBJECT, events.slice(start, start + 20));
      await settle(clock);
    }
    await settle(clock);
    expect(idsOf(await recordsOf(log))).toEqual(ids(events));
  });

  it('sends the same record again after an outage, though more has been offered since', async () => {
    const { clock, log, outbox } = setUp();
    log.fail = () => 'after';
    const [first, second] = [latencyEvents(2), latencyEvents(2)];
    outbox.offer(SUBJECT, first);
    await new Promise(setImmediate);
    outbox.offer(SUBJECT, second);
    log.fail = () => undefined;
    await settle(clock);
    expect(log.drafts.map(({ events }) => ids(events))).toEqual([ids(first), ids(first), ids(second)]);
  });

  it('says on what condition it sends, so that a log that has forgotten the ids still knows the record', async () => {
    const { log, outbox } = setUp();
    const elsewhere = await log.append({ subject: SUBJECT, events: latencyEvents(1) });
    outbox.offer(SUBJECT, latencyEvents(1));
    await outbox.flush(1000);
    outbox.offer(SUBJECT, latencyEvents(1));
    await outbox.flush(1000);
    expect(log.drafts.slice(1).map(({ expect }) => expect)).toEqual([elsewhere.position, 2]);
  });

  it('goes on behind what another writer has put on the subject', async () => {
    const { log, outbox } = setUp();
    outbox.offer(SUBJECT, latencyEvents(1));
    await outbox.flush(1000);
    await log.append({ subject: SUBJECT, events: latencyEvents(1) });
    const events = latencyEvents(1);
    outbox.offer(SUBJECT, events);
    await outbox.flush(1000);
    expect(idsOf(await recordsOf(log, 2))).toEqual(ids(events));
  });

  it('sends at once when the log is connected again', async () => {
    const { log, outbox } = setUp();
    log.setConnected(false);
    outbox.offer(SUBJECT, latencyEvents(1));
    await new Promise(setImmediate);
    expect(outbox.pending).toBe(1);
    log.setConnected(true);
    await outbox.flush(1000);
    expect(await log.head()).toBe(1);
  });

  it('refuses what is over its limit and takes more once there is room', async () => {
    const { log, outbox } = setUp(5);
    log.setConnected(false);
    expect(outbox.offer(SUBJECT, latencyEvents(4))).toBe(true);
    expect(outbox.offer(OTHER, latencyEvents(2))).toBe(false);
    expect(outbox.offer(OTHER, latencyEvents(1))).toBe(true);
    log.setConnected(true);
    await outbox.flush(1000);
    expect(outbox.offer(OTHER, latencyEvents(5))).toBe(true);
    await outbox.flush(1000);
    expect((await recordsOf(log)).flatMap(({ events }) => events)).toHaveLength(10);
  });

  it('rejects a flush that takes too long and still delivers afterwards', async () => {
    const { clock, log, outbox } = setUp();
    log.setConnected(false);
    outbox.offer(SUBJECT, latencyEvents(1));
    const flushed = outbox.flush(500);
    clock.advance(500);
    await expect(flushed).rejects.toThrow(LogUnavailableError);
    log.setConnected(true);
    await outbox.flush(500);
    expect(await log.head()).toBe(1);
  });

  it('splits a record that is too large and drops only the event that never fits', async () => {
    const { log, operators, outbox } = setUp();
    const events = latencyEvents(9);
    const giant = events[4]?.id;
    log.fail = (draft) =>
      draft.events.some(({ id }) => id === giant) ? new RecordTooLargeError(SUBJECT, 9, 5) : undefined;
    outbox.offer(SUBJECT, events);
    await outbox.flush(1000);
    expect(idsOf(await recordsOf(log))).toEqual(ids(events).filter((id) => id !== giant));
    expect(operators.entries.map(({ level }) => level)).toEqual(['error']);
  });

  it('gives up when it is closed', async () => {
    const { clock, log, outbox } = setUp();
    log.setConnected(false);
    outbox.offer(SUBJECT, latencyEvents(1));
    await new Promise(setImmediate);
    outbox.close();
    await new Promise(setImmediate);
    expect(outbox.offer(SUBJECT, latencyEvents(1))).toBe(false);
    expect(clock.timers).toBe(0);
  });
});
