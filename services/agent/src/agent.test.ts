import { backendStats } from '@usher/events';
import { RecordingLog, SimulatedClock, seededRandom } from '@usher/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startAgent } from './index.ts';
import { AgentRig } from './testing/agent-rig.ts';

const MIB = 1_048_576;

let rig: AgentRig;
beforeEach(() => {
  rig = new AgentRig();
});
afterEach(async () => {
  await rig.end();
});

describe('the agent', () => {
  test('reports once a second what the catalogue accepts, to the subject of its backend', async () => {
    rig.start();
    expect(rig.published).toEqual([]);
    await rig.second([10, 20]);
    await rig.second([10, 20]);
    expect(rig.published.map(({ subject }) => subject)).toEqual(['usher.stats.web-1', 'usher.stats.web-1']);
    expect(backendStats.parse(rig.latest)).toEqual(rig.latest);
    expect(rig.latest?.atMs).toBe(rig.clock.now());
  });

  test('reports each core’s busy share, guests not counted twice', async () => {
    rig.start();
    await rig.second([25, 100]);
    expect(rig.latest?.coresPercent).toEqual([25, 100]);
  });

  test('reports the mean over the newest fifteen seconds', async () => {
    rig.start();
    await rig.second([100, 0]);
    await rig.second([50, 0]);
    expect(rig.latest?.coresPercent).toEqual([75, 0]);
    for (let i = 0; i < 15; i++) await rig.second([10, 30]);
    expect(rig.latest?.coresPercent).toEqual([10, 30]);
  });

  test('counts a second that took longer for as much as it was', async () => {
    rig.start();
    await rig.second([300, 0], 300);
    await rig.second([0, 0]);
    expect(rig.latest?.coresPercent).toEqual([75, 0]);
  });

  test('reports memory that programs cannot get any more, as mean, and the whole of it', async () => {
    rig.start();
    await rig.second();
    rig.machine.memory(16_000, 8_000);
    await rig.second();
    expect(rig.latest?.memoryUsedBytes).toBe(6_000 * MIB);
    expect(rig.latest?.memoryTotalBytes).toBe(16_000 * MIB);
  });

  test('reports the disk that the path is on', async () => {
    rig.start();
    await rig.until(() => (rig.latest?.diskTotalBytes ?? 0) > 0);
    const { diskUsedBytes = 0, diskTotalBytes = 0 } = rig.latest ?? {};
    expect(diskUsedBytes).toBeGreaterThan(0);
    expect(diskUsedBytes).toBeLessThanOrEqual(diskTotalBytes);
    expect(backendStats.safeParse(rig.latest).success).toBe(true);
  });

  test('sends nothing after it was stopped, and leaves no timer behind', async () => {
    const agent = rig.start();
    await rig.second();
    await agent.stop();
    rig.clock.advance(10_000);
    expect(rig.published).toHaveLength(1);
    expect(rig.clock.timers).toBe(0);
  });

  test('refuses an id that no backend can have, a machine without /proc, and another URL than HTTP’s', () => {
    const clock = new SimulatedClock();
    const bus = { url: 'http://127.0.0.1' };
    const options = { target: bus, clock, random: seededRandom(1), log: new RecordingLog() };
    expect(() => startAgent({ ...options, id: 'a.b' })).toThrow('"a.b" is not a backend');
    expect(() => startAgent({ ...options, id: 'a', sources: { root: '/nowhere' } })).toThrow('/nowhere/proc');
    const url = 'ftp://127.0.0.1';
    expect(() => startAgent({ ...options, id: 'a', target: { url } })).toThrow('not an http or https URL');
    expect(() => startAgent({ ...options, id: 'a', target: { ...bus, token: 'a\r\nb' } })).toThrow('token');
    expect(clock.timers).toBe(0);
  });
});
