import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { backendStats } from '@usher/events';
import type { Service } from '@usher/ports';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AgentRig } from './testing/agent-rig.ts';
import { NVIDIA_SMI } from './testing/nvidia-smi-outputs.ts';

const MIB = 1_048_576;
/** What the real tool does when told to loop. */
const FOREVER = 'exec sleep 600';

let rig: AgentRig;
/** Stands still while the agent's timers run, however long real tools take, but for what a test adds. */
let nowMs: number;
beforeEach(() => {
  rig = new AgentRig();
  nowMs = rig.clock.now();
});
afterEach(async () => {
  await rig.end();
});

const gpus = () => rig.latest?.gpus ?? [];
const saidNone = () => rig.log.entries.filter(({ message }) => message.includes('no GPUs'));

function start(): Service {
  const { clock } = rig;
  const timers = { after: clock.after.bind(clock), every: clock.every.bind(clock) };
  return rig.start({ clock: { now: () => nowMs, steady: () => nowMs, ...timers } });
}

async function reported(lines: string): Promise<void> {
  rig.machine.gpuTool(`cat <<'END'\n${lines}\nEND\n${FOREVER}`);
  start();
  await rig.until(() => gpus().length > 0);
  expect(backendStats.safeParse(rig.latest).success).toBe(true);
}

describe('GPUs', () => {
  test('are reported from what nvidia-smi prints', async () => {
    await reported(NVIDIA_SMI.twoCards);
    expect(gpus()).toEqual([
      {
        percent: 37,
        memoryUsedBytes: 1_024 * MIB,
        memoryTotalBytes: 24_564 * MIB,
        temperatureC: 61,
        powerW: 143.52,
      },
      {
        percent: 100,
        memoryUsedBytes: 24_000 * MIB,
        memoryTotalBytes: 24_564 * MIB,
        temperatureC: 83,
        powerW: 449.9,
      },
    ]);
  });

  test('of which some do not tell their power or temperature are reported with 0 for it', async () => {
    await reported(NVIDIA_SMI.oldCard);
    expect(gpus()).toEqual([
      {
        percent: 12,
        memoryUsedBytes: 301 * MIB,
        memoryTotalBytes: 2_002 * MIB,
        temperatureC: 44,
        powerW: 0,
      },
    ]);
    await rig.end();
    rig = new AgentRig();
    await reported(NVIDIA_SMI.virtualCard);
    expect(gpus()[0]).toMatchObject({ percent: 5, temperatureC: 0, powerW: 0 });
  });

  test('cut into instances count as busy as their memory is full', async () => {
    await reported(NVIDIA_SMI.instances);
    expect(gpus()[0]).toMatchObject({ percent: 45, memoryTotalBytes: 81_920 * MIB });
  });

  test('without memory of their own are reported with none', async () => {
    await reported(NVIDIA_SMI.sharedMemory);
    expect(gpus()).toEqual([
      { percent: 3, memoryUsedBytes: 0, memoryTotalBytes: 0, temperatureC: 38, powerW: 4.21 },
    ]);
  });

  test('that are lost are left out, the others stay', async () => {
    await reported(NVIDIA_SMI.oneLost);
    expect(gpus().map(({ percent }) => percent)).toEqual([10, 30]);
  });

  test('that disappear between rounds are noticed when the next round begins', async () => {
    await reported(NVIDIA_SMI.oneGone);
    expect(gpus()).toHaveLength(2);
  });

  test('are reported as mean over the rounds', async () => {
    await reported([20, 40, 90].map((percent) => `0, 1, ${percent}, 100, 200, 40, 50.00`).join('\n'));
    await rig.until(() => gpus()[0]?.percent === 50);
  });

  test('are reported in time however the output is cut', async () => {
    rig.machine.gpuTool(
      `printf '0, 1, 7, 1'; sleep 0.05; printf '00, 200, 4'; sleep 0.05; printf '0, 5.5\\r\\n'; ${FOREVER}`,
    );
    start();
    await rig.until(() => gpus().length === 1);
    expect(gpus()[0]).toMatchObject({ percent: 7, memoryUsedBytes: 100 * MIB, powerW: 5.5 });
  });
});

describe('no GPUs are reported', () => {
  test('when nvidia-smi is missing, which is said once', async () => {
    start();
    await rig.until(() => rig.log.entries.length > 0);
    for (let i = 0; i < 20; i++) {
      nowMs += 31_000;
      await rig.second();
      await sleep(5);
    }
    expect(gpus()).toEqual([]);
    expect(saidNone()).toHaveLength(1);
  });

  test.each([
    ['the driver does not answer', NVIDIA_SMI.noDriver, 9],
    ['there are no devices', NVIDIA_SMI.noDevices, 6],
    ['the tool knows other fields', NVIDIA_SMI.unknownField, 2],
  ])('when %s, until that is over', async (_what, output, code) => {
    rig.machine.gpuTool(`cat <<'END'\n${output}\nEND\nexit ${code}`);
    start();
    await rig.until(() => rig.log.entries.length > 0);
    expect(gpus()).toEqual([]);
    expect(saidNone()[0]?.fields?.['cause']).toContain(output.split('\n')[0]?.slice(0, 30));
    rig.machine.gpuTool(`echo '0, 1, 1, 1, 1, 1, 1'; ${FOREVER}`);
    nowMs += 31_000;
    await rig.until(() => gpus().length === 1);
  });

  test('when it hangs, and there is never a second one beside it', async () => {
    const running = join(rig.machine.root, 'running');
    const overlap = join(rig.machine.root, 'overlap');
    rig.machine.gpuTool(`mkdir ${running} || touch ${overlap}; echo '0, 1, 5, 1, 1, 1, 1'; ${FOREVER}`);
    start();
    await rig.until(() => gpus().length === 1);
    nowMs += 11_000;
    await rig.until(() => saidNone().length === 1);
    await rig.second();
    expect(gpus()).toEqual([]);
    expect(saidNone()[0]?.fields?.['cause']).toContain('said nothing for 10 s');
    rig.machine.remove('running');
    nowMs += 31_000;
    // Killed, it is gone, and another is started in its place.
    await rig.until(() => existsSync(running));
    await rig.until(() => gpus().length === 1);
    expect(existsSync(overlap)).toBe(false);
  });

  test('and the tool is ended with the agent', async () => {
    const pid = join(rig.machine.root, 'pid');
    rig.machine.gpuTool(`echo $$ > ${pid}; echo '0, 1, 5, 1, 1, 1, 1'; ${FOREVER}`);
    const agent = start();
    await rig.until(() => gpus().length === 1);
    await agent.stop();
    const number = Number(rig.machine.read('pid'));
    await rig.until(() => !existsSync(`/proc/${number}`));
  });
});
