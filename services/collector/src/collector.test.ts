import { MemoryEventLog, RecordingLog, SimulatedClock, seededRandom } from '@usher/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { statsWith, TestFleet } from './testing/test-fleet.ts';

const GIB = 2 ** 30;

let clock: SimulatedClock;
let events: MemoryEventLog;
let fleet: TestFleet;
beforeEach(() => {
  clock = new SimulatedClock();
  events = new MemoryEventLog(clock);
  fleet = new TestFleet({ clock, events, random: seededRandom(7), log: new RecordingLog() });
});
afterEach(async () => {
  await fleet.stop();
  expect(clock.timers).toBe(0);
});

describe('reports', () => {
  test('of a known backend are written under its subject, stamped with the time they arrived', async () => {
    await fleet.start();
    fleet.report('a');
    const arrivedMs = clock.now();
    await fleet.seconds(1);
    expect(fleet.subjects).toEqual(['usher.events.collector.a']);
    const [event] = fleet.written;
    expect(event).toMatchObject({
      type: 'backend.stats_reported',
      subject: 'a',
      source: 'usher/collector/one',
      time: new Date(clock.now()).toISOString(),
      data: { backend: 'a', stats: statsWith({ atMs: arrivedMs }) },
    });
    expect(fleet.fold.state.backends.get('a')?.stats?.memoryUsedBytes).toBe(GIB);
  });

  test('are written at most once a second, the newest of them', async () => {
    await fleet.start();
    for (let i = 1; i <= 30; i++) {
      fleet.report('a', { coresPercent: [3 * i] });
      clock.advance(100);
    }
    expect(fleet.types()).toHaveLength(3);
    expect(fleet.fold.state.backends.get('a')?.stats?.coresPercent).toEqual([90]);
  });

  test('that say nothing new are written every ten seconds only', async () => {
    await fleet.start();
    await fleet.seconds(31, ['a'], { coresPercent: [10.4, 20.4] });
    expect(fleet.types()).toHaveLength(4);
  });

  test.each([
    ['the mean of the cores', { coresPercent: [11, 21] }],
    ['memory', { memoryUsedBytes: Math.ceil(1.04 * GIB) }],
    ['the memory there is', { memoryTotalBytes: 4 * GIB + 1 }],
    ['the disk', { diskUsedBytes: 11 * GIB }],
    ['the number of cores', { coresPercent: [15] }],
    [
      'the GPUs',
      { gpus: [{ percent: 0, memoryUsedBytes: 0, memoryTotalBytes: 1, temperatureC: 0, powerW: 0 }] },
    ],
  ])('are written at once when %s moved by a point', async (_what, changes) => {
    await fleet.start();
    await fleet.seconds(3, ['a']);
    expect(fleet.types()).toHaveLength(1);
    await fleet.seconds(1, ['a'], changes);
    expect(fleet.types()).toHaveLength(2);
  });

  test('are written at once when another number of cores is free, though their mean is the same', async () => {
    await fleet.start();
    await fleet.seconds(3, ['a'], { coresPercent: [60, 60] });
    expect(fleet.types()).toHaveLength(1);
    await fleet.seconds(1, ['a'], { coresPercent: [100, 20] });
    expect(fleet.types()).toHaveLength(2);
  });

  test('of single cores that trade places are nothing new', async () => {
    await fleet.start();
    await fleet.seconds(2, ['a'], { coresPercent: [0, 100] });
    await fleet.seconds(2, ['a'], { coresPercent: [100, 0] });
    expect(fleet.types()).toHaveLength(1);
  });

  test.each([
    ['no JSON', '{'],
    ['no report', 'null'],
    ['a share above 100', JSON.stringify(statsWith({ coresPercent: [101] }))],
    ['a negative amount', JSON.stringify(statsWith({ memoryUsedBytes: -1 }))],
    ['an unknown key', JSON.stringify({ ...statsWith({}), extra: 1 })],
  ])('that are %s are counted and change nothing', async (_what, payload) => {
    await fleet.start();
    fleet.bus.publish('usher.stats.a', payload);
    await fleet.seconds(1);
    expect(fleet.written).toEqual([]);
    expect(await fleet.metric('usher_collector_reports_total', 'outcome')).toMatchObject({
      invalid: 1,
      accepted: 0,
    });
  });

  test('of backends that the fleet does not know are counted and ignored', async () => {
    await fleet.start();
    for (const backend of ['b', 'a.b', '']) fleet.report(backend);
    await fleet.seconds(1);
    expect(fleet.written).toEqual([]);
    expect(await fleet.metric('usher_collector_reports_total', 'outcome')).toMatchObject({
      unknown_backend: 3,
      accepted: 0,
    });
  });

  test('wait while the outbox is full, and only the newest is written then', async () => {
    const collector = await fleet.start();
    fleet.outboxFull = true;
    await fleet.seconds(3, ['a'], { coresPercent: [50] });
    expect(collector.fault()).toContain('outbox');
    fleet.outboxFull = false;
    await fleet.seconds(1, ['a'], { coresPercent: [60] });
    expect(fleet.types()).toHaveLength(1);
    expect(fleet.fold.state.backends.get('a')?.stats?.coresPercent).toEqual([60]);
    expect(collector.fault()).toBeUndefined();
  });
});

describe('staleness', () => {
  test('is written once, five seconds after an agent fell silent, with the time of its last report', async () => {
    await fleet.start();
    await fleet.seconds(3, ['a']);
    const lastReportMs = clock.now() - 1_000;
    await fleet.seconds(4);
    expect(fleet.types()).toEqual(['backend.stats_reported']);
    await fleet.seconds(20);
    expect(fleet.types()).toEqual(['backend.stats_reported', 'backend.went_stale']);
    expect(fleet.written[1]?.data).toEqual({ backend: 'a', lastReportMs });
    expect(fleet.fold.state.backends.get('a')?.stale).toBe(true);
  });

  test.each([-3_600_000, 3_600_000])('is no matter of what the clock is set to, by %d ms', async (byMs) => {
    await fleet.start();
    await fleet.seconds(3, ['a']);
    clock.set(byMs);
    await fleet.seconds(4);
    expect(fleet.types()).not.toContain('backend.went_stale');
    await fleet.seconds(3);
    expect(fleet.types()).toContain('backend.went_stale');
  });

  test('ends with the next report, which is written with it in one record', async () => {
    await fleet.start();
    await fleet.seconds(2, ['a']);
    await fleet.seconds(10);
    fleet.subjects.length = 0;
    await fleet.seconds(3, ['a']);
    expect(fleet.types().slice(2)).toEqual(['backend.came_back', 'backend.stats_reported']);
    expect(fleet.subjects).toHaveLength(1);
    expect(fleet.fold.state.backends.get('a')?.stale).toBe(false);
  });

  test('follows the interval of the reports', async () => {
    await fleet.start();
    for (let i = 0; i < 10; i++) {
      fleet.report('a');
      await fleet.seconds(20);
    }
    expect(fleet.count('backend.went_stale')).toBe(1);
    await fleet.seconds(40);
    expect(fleet.count('backend.went_stale')).toBe(1);
    await fleet.seconds(2);
    expect(fleet.count('backend.went_stale')).toBe(2);
  });

  test('one report that comes late does not change what is expected', async () => {
    await fleet.start();
    await fleet.seconds(10, ['a']);
    await fleet.seconds(4);
    await fleet.seconds(3, ['a']);
    await fleet.seconds(6);
    expect(fleet.fold.state.backends.get('a')?.stale).toBe(true);
  });

  test('is never said of a backend that has not reported', async () => {
    await fleet.start();
    await fleet.seconds(60);
    expect(fleet.written).toEqual([]);
  });

  test('is found by a collector that started after the last report', async () => {
    const first = await fleet.start('one');
    await fleet.seconds(2, ['a']);
    await first.stop();
    await fleet.start('two');
    await fleet.seconds(4);
    expect(fleet.fold.state.backends.get('a')?.stale).toBe(false);
    await fleet.seconds(4);
    expect(fleet.types()).toEqual(['backend.stats_reported', 'backend.went_stale']);
  });

  test('is not concluded from being cut off from the log, and nothing piles up meanwhile', async () => {
    await fleet.start();
    await fleet.seconds(3, ['a']);
    events.setConnected(false);
    await fleet.seconds(60, [], {});
    events.setConnected(true);
    await fleet.seconds(2);
    await fleet.seconds(3, ['a']);
    expect(fleet.types()).toEqual(['backend.stats_reported', 'backend.stats_reported']);
    await fleet.seconds(10);
    expect(fleet.fold.state.backends.get('a')?.stale).toBe(true);
  });

  test('that was written before being cut off does not end without a report', async () => {
    await fleet.start();
    await fleet.seconds(2, ['a']);
    await fleet.seconds(8);
    events.setConnected(false);
    await fleet.seconds(3);
    events.setConnected(true);
    await fleet.seconds(20);
    expect(fleet.types()).toEqual(['backend.stats_reported', 'backend.went_stale']);
  });
});

describe('several collectors', () => {
  test('write once what they all hear', async () => {
    await fleet.start('one');
    await fleet.start('two');
    await fleet.seconds(3, ['a']);
    await fleet.seconds(10);
    expect(fleet.types()).toEqual(['backend.stats_reported', 'backend.went_stale']);
    expect(new Set(fleet.written.map((event) => event.source))).toEqual(new Set(['usher/collector/one']));
  });

  test('the standby goes on where the leader stopped, without saying anything twice', async () => {
    const leader = await fleet.start('one');
    await fleet.start('two');
    await fleet.seconds(3, ['a']);
    await leader.stop();
    await fleet.seconds(3, ['a']);
    expect(fleet.types()).toEqual(['backend.stats_reported']);
    await fleet.seconds(8);
    expect(fleet.types()).toEqual(['backend.stats_reported', 'backend.went_stale']);
    expect(fleet.written[1]?.source).toBe('usher/collector/two');
  });

  test('the leader goes on without the store until its lease is over, then waits', async () => {
    const leader = await fleet.start('one');
    await fleet.seconds(1, ['a']);
    fleet.leases.down = true;
    await fleet.seconds(4, ['a'], { coresPercent: [90] });
    expect(fleet.types()).toHaveLength(2);
    expect(leader.fault()).toContain('lease');
    await fleet.seconds(10, ['a'], { coresPercent: [10] });
    expect(fleet.types()).toHaveLength(2);
    fleet.leases.down = false;
    await fleet.seconds(2, ['a'], { coresPercent: [10] });
    expect(fleet.types()).toHaveLength(3);
    expect(leader.fault()).toBeUndefined();
  });

  test('nobody leads when the store was never there', async () => {
    fleet.leases.down = true;
    const collector = await fleet.start('one');
    await fleet.seconds(5, ['a']);
    expect(fleet.written).toEqual([]);
    expect(collector.fault()).toContain('lease');
  });
});

describe('metrics', () => {
  test('tell the age of each backend’s last report and who leads', async () => {
    await fleet.start();
    await fleet.seconds(1, ['a']);
    await fleet.seconds(2);
    expect(await fleet.metric('usher_collector_report_age_seconds', 'backend')).toEqual({ a: 3 });
    expect(await fleet.metric('usher_collector_leading')).toEqual({ '': 1 });
    expect(await fleet.metric('usher_collector_events_total', 'type')).toEqual({
      'backend.stats_reported': 1,
    });
  });
});
