import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadProgram } from '../services/agent/src/testing/real-proc.ts';
import { LiveAgent } from './agent/live-agent.ts';

/**
 * `node tools/cgroup-check.ts`: makes a real cgroup v2 group with half a core and 256 MiB, runs a
 * load in it, and compares what the agent says with the group's own files. Exits with 0 when they agree, 1 when they do
 * not, 2 where no such group can be made; that takes root and a writable cgroup v2 with the controllers cpu and memory.
 */
const MOUNT = / (\S+) cgroup2 /.exec(readFileSync('/proc/mounts', 'utf8'))?.[1] ?? '/sys/fs/cgroup';
const GROUP = `/usher-cgroup-check-${process.pid}`;
const QUOTA_CORES = 0.5;
const LIMIT_BYTES = 256 * 1_048_576;
const SECONDS = 17;

const file = (name: string): string => join(MOUNT, GROUP, name);
const usageUs = (): number => Number(/usage_usec (\d+)/.exec(readFileSync(file('cpu.stat'), 'utf8'))?.[1]);
function memoryBytes(): number {
  const inactive = /inactive_file (\d+)/.exec(readFileSync(file('memory.stat'), 'utf8'))?.[1];
  return Number(readFileSync(file('memory.current'), 'utf8')) - Number(inactive);
}

async function check(): Promise<boolean> {
  const load = spawn(process.execPath, ['-e', loadProgram(0.3, 60)], { stdio: 'ignore' });
  try {
    writeFileSync(file('cgroup.procs'), String(load.pid));
    await sleep(2_000);
    const agent = new LiveAgent({ cgroup: GROUP });
    const [fromUs, fromMs] = [usageUs(), performance.now()];
    const memory: number[] = [];
    while (agent.reports.length < SECONDS - 2) {
      await sleep(500);
      memory.push(memoryBytes());
    }
    const cores = (usageUs() - fromUs) / 1_000 / (performance.now() - fromMs);
    await agent.stop();
    const last = agent.reports.at(-1);
    const told = last?.coresPercent[0] ?? Number.NaN;
    const expected = (cores / QUOTA_CORES) * 100;
    const used = last?.memoryUsedBytes ?? Number.NaN;
    const [low, high] = [Math.min(...memory), Math.max(...memory)];
    console.log(`cpu: agent ${told} % of ${last?.coresPercent.length} core, group ${expected.toFixed(2)} %`);
    console.log(
      `memory: agent ${used} of ${last?.memoryTotalBytes}, group ${low} to ${high} of ${LIMIT_BYTES}`,
    );
    const memoryFits = used >= low * 0.98 && used <= high * 1.02 && last?.memoryTotalBytes === LIMIT_BYTES;
    return Math.abs(told - expected) <= 0.02 * expected + 1 && last?.coresPercent.length === 1 && memoryFits;
  } finally {
    load.kill('SIGKILL');
    await sleep(500);
  }
}

async function main(): Promise<number> {
  try {
    const controllers = readFileSync(join(MOUNT, 'cgroup.subtree_control'), 'utf8');
    if (!/\bcpu\b/.test(controllers) || !/\bmemory\b/.test(controllers))
      throw new Error(`${MOUNT} passes on these controllers only: ${controllers.trim() || 'none'}`);
    mkdirSync(join(MOUNT, GROUP));
  } catch (error) {
    console.error(`cgroup-check: no group can be made: ${(error as Error).message}`);
    return 2;
  }
  try {
    writeFileSync(file('cpu.max'), `${QUOTA_CORES * 100_000} 100000`);
    writeFileSync(file('memory.max'), String(LIMIT_BYTES));
  } catch (error) {
    console.error(`cgroup-check: limits cannot be set: ${(error as Error).message}`);
    rmdirSync(join(MOUNT, GROUP));
    return 2;
  }
  const agrees = await check();
  rmdirSync(join(MOUNT, GROUP));
  console.log(agrees ? 'cgroup-check: agreed' : 'cgroup-check: DISAGREED');
  return agrees ? 0 : 1;
}

process.exitCode = await main();
