import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BackendStats } from '@usher/domain';
import { backendStats } from '@usher/events';
import type { MessageBus, Service } from '@usher/ports';
import { RecordingLog, SimulatedClock, seededRandom, tempDir } from '@usher/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startAgent } from './index.ts';
import { RecordedMachine } from './testing/machine.ts';

const MIB = 1_048_576;
const SECOND_MS = 1_000;

const published: { subject: string; payload: string }[] = [];
const bus: MessageBus = {
  publish: (subject, payload) => void published.push({ subject, payload }),
  request: () => Promise.reject(new Error('agents ask nothing')),
  serve: () => ({ stop: () => undefined }),
  subscribe: () => ({ stop: () => undefined }),
};

let clock: SimulatedClock;
let log: RecordingLog;
let dir: ReturnType<typeof tempDir>;
let machine: RecordedMachine;
let agent: Service | undefined;

beforeEach(() => {
  published.length = 0;
  clock = new SimulatedClock();
  log = new RecordingLog();
  dir = tempDir();
  machine = new RecordedMachine(dir.path, 2);
});
afterEach(async () => {
  await agent?.stop();
  agent = undefined;
  dir.remove();
});

function start(): void {
  agent = startAgent({
    id: 'web-1',
    target: { bus },
    clock,
    random: seededRandom(1),
    log,
    sources: { root: machine.root, disk: machine.root, nvidiaSmi: machine.nvidiaSmi },
  });
}

function second(busyTicks: readonly number[]): void {
  machine.spend(busyTicks);
  clock.advance(SECOND_MS);
}

function latest(): BackendStats {
  return JSON.parse(published.at(-1)?.payload ?? 'null') as BackendStats;
}

async function until(holds: () => boolean, between: () => void = () => undefined): Promise<void> {
  while (!holds()) {
    between();
    await sleep(2);
  }
}

describe('the agent', () => {
  test('reports once a second what the catalogue accepts, to the subject of its backend', () => {
    start();
    expect(published).toEqual([]);
    second([10, 20]);
    second([10, 20]);
    expect(published.map((message) => message.subject)).toEqual(['usher.stats.web-1', 'usher.stats.web-1']);
    expect(backendStats.parse(latest())).toEqual(latest());
    expect(latest().atMs).toBe(clock.now());
  });

  test('reports each core’s busy share, guests not counted twice', () => {
    start();
    second([25, 100]);
    expect(latest().coresPercent).toEqual([25, 100]);
  });

  test('reports the mean over the newest fifteen seconds', () => {
    start();
    second([100, 0]);
    second([50, 0]);
    expect(latest().coresPercent).toEqual([75, 0]);
    for (let i = 0; i < 15; i++) second([10, 30]);
    expect(latest().coresPercent).toEqual([10, 30]);
  });

  test('reports memory that programs cannot get any more, as mean, and the whole of it', () => {
    start();
    second([0, 0]);
    machine.memory(16_000, 8_000);
    second([0, 0]);
    expect(latest().memoryUsedBytes).toBe(6_000 * MIB);
    expect(latest().memoryTotalBytes).toBe(16_000 * MIB);
  });

  test('reports the disk that the path is on', async () => {
    start();
    await until(
      () => (latest()?.diskTotalBytes ?? 0) > 0,
      () => second([0, 0]),
    );
    expect(latest().diskUsedBytes).toBeGreaterThan(0);
    expect(latest().diskUsedBytes).toBeLessThanOrEqual(latest().diskTotalBytes);
    expect(backendStats.safeParse(latest()).success).toBe(true);
  });

  test('sends nothing after it was stopped, and leaves no timer behind', async () => {
    start();
    second([0, 0]);
    await agent?.stop();
    agent = undefined;
    clock.advance(10 * SECOND_MS);
    expect(published).toHaveLength(1);
    expect(clock.timers).toBe(0);
  });

  test('refuses an id that no backend can have, and a machine without /proc', () => {
    const options = { target: { bus }, clock, random: seededRandom(1), log };
    expect(() => startAgent({ ...options, id: 'a.b' })).toThrow('"a.b" is not a backend');
    expect(() => startAgent({ ...options, id: 'a', sources: { root: '/nowhere' } })).toThrow('/nowhere/proc');
    const url = 'ftp://127.0.0.1';
    expect(() => startAgent({ ...options, id: 'a', target: { url } })).toThrow('not an http or https URL');
    expect(clock.timers).toBe(0);
  });
});

describe('in a container', () => {
  test('a CPU quota counts instead of the machine’s cores', () => {
    machine = new RecordedMachine(dir.path, 8);
    machine.cgroup('cpu.max', '250000 100000');
    machine.cgroup('cpu.stat', 'usage_usec 1000000\nuser_usec 1');
    start();
    machine.cgroup('cpu.stat', 'usage_usec 2250000\nuser_usec 1');
    second([90, 90, 90, 90, 90, 90, 90, 90]);
    // 1.25 of 2.5 cores' time, told for the two whole cores of the quota.
    expect(latest().coresPercent).toEqual([50, 50]);
  });

  test('less than one core is told as one, and more than the quota as all of it', () => {
    machine.cgroup('cpu.max', '50000 100000');
    machine.cgroup('cpu.stat', 'usage_usec 0');
    start();
    machine.cgroup('cpu.stat', 'usage_usec 700000');
    second([0, 0]);
    expect(latest().coresPercent).toEqual([100]);
  });

  test('without a quota, or with one above the cores, the cores count', () => {
    machine.cgroup('cpu.max', 'max 100000');
    machine.cgroup('cpu.stat', 'usage_usec 0');
    start();
    second([40, 60]);
    expect(latest().coresPercent).toEqual([40, 60]);
    machine.cgroup('cpu.max', '200000 100000');
    second([40, 60]);
    expect(latest().coresPercent).toEqual([40, 60]);
  });

  test('only the cores that the container may use count', () => {
    machine = new RecordedMachine(dir.path, 4);
    machine.cgroup('cpuset.cpus.effective', '1,3');
    start();
    second([10, 20, 30, 40]);
    expect(latest().coresPercent).toEqual([20, 40]);
  });

  test('a limit that is set later counts from then on', () => {
    machine.cgroup('cpu.max', 'max 100000');
    machine.cgroup('cpu.stat', 'usage_usec 0');
    start();
    second([40, 60]);
    machine.cgroup('cpu.max', '100000 100000');
    machine.cgroup('cpu.stat', 'usage_usec 300000');
    second([40, 60]);
    expect(latest().coresPercent).toEqual([30]);
  });

  test('a memory limit counts instead of the machine’s memory, files that can be dropped left out', () => {
    machine.memoryCgroup(String(512 * MIB), 400, 150);
    start();
    second([0, 0]);
    expect(latest().memoryUsedBytes).toBe(250 * MIB);
    expect(latest().memoryTotalBytes).toBe(512 * MIB);
  });

  test('without a memory limit, or with one above the machine’s memory, the machine counts', () => {
    machine.memoryCgroup('max', 400, 150);
    start();
    second([0, 0]);
    expect(latest().memoryTotalBytes).toBe(16_000 * MIB);
    machine.memoryCgroup(String(1e15), 400, 150);
    second([0, 0]);
    expect(latest().memoryTotalBytes).toBe(16_000 * MIB);
    expect(latest().memoryUsedBytes).toBe(4_000 * MIB);
  });
});

describe('GPUs', () => {
  test('are reported from what nvidia-smi prints, unknown values as 0', async () => {
    machine.gpuTool(`echo '37, 1024, 24576, 61, 143.52'; echo '[N/A], 100, 200, 40, [Not Supported]'`);
    start();
    await until(
      () => (latest()?.gpus.length ?? 0) > 0,
      () => second([0, 0]),
    );
    expect(latest().gpus).toEqual([
      {
        percent: 37,
        memoryUsedBytes: 1024 * MIB,
        memoryTotalBytes: 24_576 * MIB,
        temperatureC: 61,
        powerW: 143.52,
      },
      { percent: 0, memoryUsedBytes: 100 * MIB, memoryTotalBytes: 200 * MIB, temperatureC: 40, powerW: 0 },
    ]);
    expect(backendStats.safeParse(latest()).success).toBe(true);
  });

  test('are none when nvidia-smi is missing, which is said once', async () => {
    start();
    await until(
      () => log.entries.length > 0,
      () => second([0, 0]),
    );
    for (let i = 0; i < 200; i++) second([0, 0]);
    await sleep(0);
    expect(latest().gpus).toEqual([]);
    expect(log.entries.filter((entry) => entry.message.includes('no GPUs'))).toHaveLength(1);
  });

  test('are none when nvidia-smi fails, and are found when it works again', async () => {
    machine.gpuTool('echo "could not communicate with the driver"; exit 9');
    start();
    await until(
      () => log.entries.length > 0,
      () => second([0, 0]),
    );
    expect(latest().gpus).toEqual([]);
    machine.gpuTool(`echo '1, 1, 1, 1, 1'`);
    await until(
      () => latest().gpus.length === 1,
      () => second([0, 0]),
    );
  });

  test('are never asked about twice at once', async () => {
    const release = join(dir.path, 'release');
    const running = join(dir.path, 'running');
    const overlap = join(dir.path, 'overlap');
    machine.gpuTool(`
      mkdir ${running} || touch ${overlap}
      while [ ! -e ${release} ]; do sleep 0.01; done
      rmdir ${running}
      echo '5, 1, 1, 1, 1'`);
    start();
    await until(() => existsSync(running));
    for (let i = 0; i < 30; i++) second([0, 0]);
    machine.write('release', '');
    await until(
      () => latest().gpus.length === 1,
      () => second([0, 0]),
    );
    expect(existsSync(overlap)).toBe(false);
  });
});
