import { MemoryEventLog, RecordingLog, SimulatedClock, seededRandom } from '@usher/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TestFleet } from './testing/test-fleet.ts';

let fleet: TestFleet;
beforeEach(() => {
  const clock = new SimulatedClock();
  const events = new MemoryEventLog(clock);
  fleet = new TestFleet({ clock, events, random: seededRandom(7), log: new RecordingLog() });
});
afterEach(async () => {
  await fleet.stop();
});

describe('reports of a backend that comes or goes', () => {
  test('are written at once when the backend was removed and is back, though they say nothing new', async () => {
    await fleet.start();
    await fleet.seconds(3, ['a']);
    expect(fleet.types()).toHaveLength(1);
    fleet.remove('a');
    fleet.register('a');
    expect(fleet.fold.state.backends.get('a')?.stats).toBeNull();
    await fleet.seconds(1, ['a']);
    expect(fleet.fold.state.backends.get('a')?.stats).not.toBeNull();
    await fleet.seconds(3, ['a']);
    expect(fleet.types()).toHaveLength(2);
  });

  test('are written at once when the backend is registered anew and its removal was not heard', async () => {
    await fleet.start();
    await fleet.seconds(3, ['a']);
    fleet.register('a');
    expect(fleet.fold.state.backends.get('a')?.stats).toBeNull();
    await fleet.seconds(1, ['a']);
    expect(fleet.fold.state.backends.get('a')?.stats).not.toBeNull();
  });

  test('of before it was removed are not taken for those of the backend that is registered anew', async () => {
    await fleet.start();
    await fleet.seconds(3, ['a']);
    fleet.remove('a');
    expect(await fleet.metric('usher_collector_report_age_seconds', 'backend')).toEqual({});
    fleet.register('a');
    await fleet.seconds(3);
    expect(fleet.fold.state.backends.get('a')?.stats).toBeNull();
    expect(fleet.types()).toHaveLength(1);
  });

  test('are written as soon as the fleet knows the backend, and no more after it was removed', async () => {
    await fleet.start();
    fleet.register('b');
    await fleet.seconds(1, ['b']);
    expect(fleet.types()).toEqual(['backend.stats_reported']);
    fleet.remove('b');
    await fleet.seconds(20, ['b']);
    expect(fleet.types()).toHaveLength(1);
  });
});
