import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AgentRig } from './testing/agent-rig.ts';

const MIB = 1_048_576;
const EIGHT_BUSY = [90, 90, 90, 90, 90, 90, 90, 90];

let rig: AgentRig;
beforeEach(() => {
  rig = new AgentRig();
});
afterEach(async () => {
  await rig.end();
});

describe('under a CPU quota', () => {
  test('the quota counts instead of the machine’s cores', async () => {
    const machine = rig.withCores(8);
    machine.cpuCgroup('', 250, 1_000);
    rig.start();
    machine.cpuCgroup('', 250, 2_250);
    await rig.second(EIGHT_BUSY);
    // 1.25 of 2.5 cores' time, told for the two whole cores of the quota.
    expect(rig.latest?.coresPercent).toEqual([50, 50]);
  });

  test('less than one core is told as one, and more than the quota as all of it', async () => {
    rig.machine.cpuCgroup('', 50, 0);
    rig.start();
    rig.machine.cpuCgroup('', 50, 700);
    await rig.second();
    expect(rig.latest?.coresPercent).toEqual([100]);
  });

  test('one that is none, or is above the cores, leaves the cores to count', async () => {
    rig.machine.cpuCgroup('', 'max', 0);
    rig.start();
    await rig.second([40, 60]);
    expect(rig.latest?.coresPercent).toEqual([40, 60]);
    rig.machine.cpuCgroup('', 200, 500);
    await rig.second([40, 60]);
    expect(rig.latest?.coresPercent).toEqual([40, 60]);
  });

  test('set later, it counts as soon as there are two readings under it', async () => {
    rig.machine.cpuCgroup('', 'max', 0);
    rig.start();
    await rig.second([40, 60]);
    rig.machine.cpuCgroup('', 100, 300);
    await rig.second([40, 60]);
    rig.machine.cpuCgroup('', 100, 600);
    await rig.second([40, 60]);
    expect(rig.latest?.coresPercent).toEqual([30]);
  });

  test.each([-3_600_000, 3_600_000])(
    'a clock that was set by %d ms changes nothing of the quota',
    async (byMs) => {
      rig.machine.cpuCgroup('', 100, 0);
      rig.start();
      rig.machine.cpuCgroup('', 100, 500);
      rig.clock.set(byMs);
      await rig.second();
      expect(rig.latest?.coresPercent).toEqual([50]);
    },
  );

  test('the limits of all groups hold, and the one with the least left counts', async () => {
    const machine = rig.withCores(8);
    machine.runIn('/shop.slice/web.service');
    machine.cpuCgroup('shop.slice', 400, 0);
    machine.cpuCgroup('shop.slice/web.service', 200, 0);
    machine.cpuCgroup('other.slice', 10, 0);
    rig.start();
    // Others in the slice leave a tenth of a core of its four; the service itself would have a whole one left.
    machine.cpuCgroup('shop.slice', 400, 3_900);
    machine.cpuCgroup('shop.slice/web.service', 200, 1_000);
    await rig.second(EIGHT_BUSY);
    expect(rig.latest?.coresPercent).toEqual([95, 95]);
  });

  test('only the cores that the group may use count', async () => {
    const machine = rig.withCores(4);
    machine.cgroup('cpuset.cpus.effective', '1,3');
    rig.start();
    await rig.second([10, 20, 30, 40]);
    expect(rig.latest?.coresPercent).toEqual([20, 40]);
  });

  test('a group without a list of cores has that of the group around it', async () => {
    const machine = rig.withCores(4);
    machine.runIn('/pod/web');
    machine.cgroup('cpuset.cpus.effective', '0-3');
    machine.cgroup('pod/cpuset.cpus.effective', '2-3');
    rig.start();
    await rig.second([10, 20, 30, 40]);
    expect(rig.latest?.coresPercent).toEqual([30, 40]);
  });
});

describe('under a memory limit', () => {
  test('it counts instead of the machine’s memory, files that can be dropped left out', async () => {
    rig.machine.memoryCgroup('', String(512 * MIB), 400, 150);
    rig.start();
    await rig.second();
    expect(rig.latest?.memoryUsedBytes).toBe(250 * MIB);
    expect(rig.latest?.memoryTotalBytes).toBe(512 * MIB);
  });

  test('that is none, or is above the machine’s memory, the machine counts', async () => {
    rig.machine.memoryCgroup('', 'max', 400, 150);
    rig.start();
    await rig.second();
    expect(rig.latest?.memoryTotalBytes).toBe(16_000 * MIB);
    rig.machine.memoryCgroup('', String(1e15), 400, 150);
    await rig.second();
    expect(rig.latest?.memoryTotalBytes).toBe(16_000 * MIB);
    expect(rig.latest?.memoryUsedBytes).toBe(4_000 * MIB);
  });

  test('of several the least is what there is, and the least left is what can be had', async () => {
    rig.machine.runIn('/pod/web');
    rig.machine.memoryCgroup('pod', String(1_000 * MIB), 950, 50);
    rig.machine.memoryCgroup('pod/web', String(400 * MIB), 120, 20);
    rig.start();
    await rig.second();
    expect(rig.latest?.memoryTotalBytes).toBe(400 * MIB);
    expect(rig.latest?.memoryUsedBytes).toBe(300 * MIB);
  });
});

describe('the group', () => {
  test('of a container that shows only its own is the top of the mount', async () => {
    rig.machine.runIn('/system.slice/docker-1.scope', '/system.slice/docker-1.scope');
    rig.machine.memoryCgroup('', String(512 * MIB), 100, 0);
    rig.start();
    await rig.second();
    expect(rig.latest?.memoryTotalBytes).toBe(512 * MIB);
  });

  test('outside of what the container shows is not looked for', async () => {
    rig.machine.runIn('/../sidecar');
    rig.machine.memoryCgroup('', String(512 * MIB), 100, 0);
    rig.start();
    await rig.second();
    expect(rig.latest?.memoryTotalBytes).toBe(512 * MIB);
  });

  test('can be another than the agent’s own, and go and come again', async () => {
    rig.machine.runIn('/system.slice/agent.service');
    rig.machine.memoryCgroup('system.slice/agent.service', String(64 * MIB), 1, 0);
    rig.machine.memoryCgroup('system.slice/web.service', String(512 * MIB), 100, 0);
    rig.start({ sources: { cgroup: '/system.slice/web.service' } });
    await rig.second();
    expect(rig.latest?.memoryTotalBytes).toBe(512 * MIB);
    rig.machine.remove('sys/fs/cgroup/system.slice/web.service');
    rig.machine.memoryCgroup('system.slice/web.service', String(256 * MIB), 100, 0);
    // The files of the group that went are still open here, and readable, as those of a real one are not.
    await rig.second();
    expect(rig.latest?.memoryUsedBytes).toBe(100 * MIB);
  });
});
