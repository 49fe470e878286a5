import { CATALOGUE, type UsherEvent } from '@usher/events';
import { expect, it } from 'vitest';
import type { ContractContext } from './event-log-harness.ts';
import { follow, idsOf, latencyEvents, OTHER_SUBJECT, recordsOf, SUBJECT } from './event-log-harness.ts';

/** Replay, tail and quarantine: what every driver's reader must do. */
export function testReading(context: ContractContext): void {
  testReplay(context);
  testTail(context);
  testQuarantine(context);
}

function testReplay(context: ContractContext): void {
  it('replays what is after a position, up to another or to the end', async () => {
    const { log } = context;
    for (let index = 0; index < 10; index++) {
      await log.append({ subject: SUBJECT, events: latencyEvents(1, index) });
    }
    const positions = async (after: number, until?: number) =>
      (await recordsOf(log, after, until)).map(({ position }) => position);
    expect(await positions(7)).toEqual([8, 9, 10]);
    expect(await positions(2, 4)).toEqual([3, 4]);
    expect(await positions(10)).toEqual([]);
    expect(await positions(5, 5)).toEqual([]);
    expect(await positions(8, 99)).toEqual([9, 10]);
  });

  it('resolves a replay with the last position that it handed over', async () => {
    const { log } = context;
    for (let index = 0; index < 5; index++) {
      await log.append({ subject: SUBJECT, events: latencyEvents(1) });
    }
    expect(await log.replay(0, () => {})).toBe(5);
    expect(await log.replay(0, () => {}, 3)).toBe(3);
    expect(await log.replay(2, () => {}, 2)).toBe(2);
    expect(await log.replay(5, () => {})).toBe(5);
  });
}

function testTail(context: ContractContext): void {
  it('catches up and follows without a gap or a repetition while others append', async () => {
    const { log } = context;
    for (let index = 0; index < 30; index++) {
      await log.append({ subject: SUBJECT, events: latencyEvents(1) });
    }
    const appending = Promise.all(
      Array.from({ length: 100 }, () => log.append({ subject: OTHER_SUBJECT, events: latencyEvents(2) })),
    );
    const { tail, records, seen } = follow(log, 10);
    await tail.caughtUp;
    expect(records.length).toBeGreaterThanOrEqual(20);
    await appending;
    await log.append({ subject: SUBJECT, events: latencyEvents(1) });
    await seen(121);
    expect(records.map(({ position }) => position)).toEqual(Array.from({ length: 121 }, (_, i) => i + 11));
    expect(tail.position).toBe(131);
    expect(idsOf(records)).toEqual(idsOf(await recordsOf(log, 10)));
  });

  it('has caught up at once when there is nothing to replay', async () => {
    const { log } = context;
    const fresh = follow(log);
    await fresh.tail.caughtUp;
    const { position } = await log.append({ subject: SUBJECT, events: latencyEvents(1) });
    const late = follow(log, position);
    await late.tail.caughtUp;
    expect(late.records).toEqual([]);
    await fresh.seen(1);
  });

  it('serves several tails from different positions', async () => {
    const { log } = context;
    for (let index = 0; index < 5; index++) {
      await log.append({ subject: SUBJECT, events: latencyEvents(1) });
    }
    const all = follow(log, 0);
    const some = follow(log, 3);
    await log.append({ subject: SUBJECT, events: latencyEvents(1) });
    await Promise.all([all.seen(6), some.seen(3)]);
    expect(all.records.map(({ position }) => position)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(some.records.map(({ position }) => position)).toEqual([4, 5, 6]);
  });

  it('hands over nothing more once a tail is stopped', async () => {
    const { log } = context;
    const stopped = follow(log);
    await stopped.tail.caughtUp;
    await stopped.tail.stop();
    const other = follow(log);
    await log.append({ subject: SUBJECT, events: latencyEvents(1) });
    await other.seen(1);
    expect(stopped.records).toEqual([]);
  });
}

/** An event as another program could have written it. */
function strange(changes: Readonly<Record<string, unknown>>): UsherEvent {
  return { ...latencyEvents(1)[0], ...changes } as UsherEvent;
}

function testQuarantine(context: ContractContext): void {
  it('sets aside events that are unknown, newer or invalid and hands over the others', async () => {
    const { log } = context;
    const good = latencyEvents(2);
    const newer = CATALOGUE['backend.latency_measured'].version + 1;
    const events = [
      ...good.slice(0, 1),
      strange({ type: 'backend.was_painted' }),
      strange({ type: 'constructor' }),
      strange({ dataversion: newer }),
      strange({ data: { backend: 'web-1', latencyMs: -1 } }),
      strange({ data: { backend: 'web-1', latencyMs: 1, colour: 'red' } }),
      strange({ specversion: '2.0' }),
      ...good.slice(1),
    ];
    await log.append({ subject: SUBJECT, events });
    const [record] = await recordsOf(log);
    expect(record?.events).toEqual(good);
    expect(record?.quarantined.map(({ index }) => index)).toEqual([1, 2, 3, 4, 5, 6]);
    for (const { cause } of record?.quarantined ?? []) expect(cause).not.toBe('');
  });

  it('hands over a record that is no record with its position and the reason, and goes on', async () => {
    const texts = ['not JSON', '{"an":"object"}', '[1,null,"text",[]]', '', '[{}]'];
    await context.log.append({ subject: SUBJECT, events: latencyEvents(1) });
    await context.reopen(async () => {
      for (const text of texts) await context.harness.storeRaw(SUBJECT, text);
    });
    await context.log.append({ subject: SUBJECT, events: latencyEvents(1) });
    const followed = follow(context.log);
    await followed.seen(texts.length + 2);
    const records = await recordsOf(context.log);
    expect(followed.records).toEqual(records);
    expect(records.map(({ position }) => position)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(records.map(({ events }) => events.length)).toEqual([1, 0, 0, 0, 0, 0, 1]);
    expect(records.map(({ quarantined }) => quarantined.length)).toEqual([0, 1, 1, 4, 1, 1, 0]);
  });

  it('gives the readers what is on the log, not the objects that were appended', async () => {
    const { log } = context;
    const followed = follow(log);
    const event = strange({ reason: undefined });
    await log.append({ subject: SUBJECT, events: [event] });
    await followed.seen(1);
    expect(followed.records[0]?.events[0]).not.toBe(event);
    expect(Object.hasOwn(followed.records[0]?.events[0] ?? {}, 'reason')).toBe(false);
  });
}
