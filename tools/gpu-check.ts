import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { GpuStats } from '../libs/domain/src/index.ts';
import { LiveAgent } from './agent/live-agent.ts';

/**
 * `node tools/gpu-check.ts`: compares what the agent says about this machine's NVIDIA GPUs with
 * two other ways to ask nvidia-smi, CSV with units and XML, over the same 15 seconds. Exits with 0 when they agree, 1
 * when they do not, 2 where there is no GPU to ask.
 */
const ROUNDS = 16;
const MIB_BYTES = 1_048_576;
const FIELDS = 'index,utilization.gpu,memory.used,memory.total,temperature.gpu,power.draw';

/** One GPU as another way to ask tells it; NaN for what it does not tell. */
type Seen = Readonly<Record<'percent' | 'usedMib' | 'totalMib' | 'temperatureC' | 'powerW', number>>;

function nvidiaSmi(...args: readonly string[]): string {
  return execFileSync('nvidia-smi', args, { encoding: 'utf8', timeout: 20_000, maxBuffer: 64 * MIB_BYTES });
}

/** `0, 12 %, 301 MiB, 2002 MiB, 44, 12.50 W` */
function fromCsv(): Seen[] {
  const lines = nvidiaSmi(`--query-gpu=${FIELDS}`, '--format=csv').trim().split('\n').slice(1);
  return lines.map((line) => {
    const [, percent = Number.NaN, usedMib = Number.NaN, totalMib = Number.NaN, ...others] = line
      .split(',')
      .map((value) => Number.parseFloat(value));
    const [temperatureC = Number.NaN, powerW = Number.NaN] = others;
    return { percent, usedMib, totalMib, temperatureC, powerW };
  });
}

function fromXml(): Seen[] {
  const gpus = nvidiaSmi('-q', '-x').split('<gpu id=').slice(1);
  return gpus.map((gpu) => {
    const inside = (section: string, name: string): number => {
      const text = new RegExp(`<${section}>([^]*?)</${section}>`).exec(gpu)?.[1] ?? '';
      return Number.parseFloat(new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1] ?? '');
    };
    const power = ['power_draw', 'instant_power_draw', 'average_power_draw'].flatMap((name) =>
      ['gpu_power_readings', 'power_readings'].map((section) => inside(section, name)),
    );
    return {
      percent: inside('utilization', 'gpu_util'),
      usedMib: inside('fb_memory_usage', 'used'),
      totalMib: inside('fb_memory_usage', 'total'),
      temperatureC: inside('temperature', 'gpu_temp'),
      powerW: power.find((watts) => !Number.isNaN(watts)) ?? Number.NaN,
    };
  });
}

/** How far a mean may lie outside what the others saw: they looked at other instants. */
const SLACK: Seen = { percent: 15, usedMib: 64, totalMib: 1, temperatureC: 3, powerW: 15 };

function compare(agent: GpuStats, seen: readonly Seen[], way: string): boolean {
  const said: Seen = {
    percent: agent.percent,
    usedMib: agent.memoryUsedBytes / MIB_BYTES,
    totalMib: agent.memoryTotalBytes / MIB_BYTES,
    temperatureC: agent.temperatureC,
    powerW: agent.powerW,
  };
  let agrees = true;
  for (const key of Object.keys(SLACK) as (keyof Seen)[]) {
    const values = seen.map((gpu) => gpu[key]).filter((value) => !Number.isNaN(value));
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const slack = SLACK[key];
    // What others are not told either has nothing to be compared with.
    const fits = values.length === 0 || (said[key] >= low - slack && said[key] <= high + slack);
    if (!fits) agrees = false;
    const range = values.length === 0 ? 'not told' : `${low} to ${high}`;
    console.log(`  ${fits ? 'ok  ' : 'FAIL'} ${key}: agent ${said[key].toFixed(2)}, ${way} ${range}`);
  }
  return agrees;
}

/** Milliseconds of CPU that this process's children have used, those that run included. */
function childCpuMs(): number {
  const ticks = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
      } catch {
        return [];
      }
    })
    .filter((fields) => Number(fields[1]) === process.pid)
    .reduce((sum, fields) => sum + Number(fields[11]) + Number(fields[12]), 0);
  return ticks * 10;
}

async function main(): Promise<number> {
  try {
    console.log(
      nvidiaSmi('--query-gpu=name,driver_version,mig.mode.current', '--format=csv,noheader').trim(),
    );
  } catch (error) {
    console.error(`gpu-check: no GPU can be asked: ${(error as Error).message.split('\n')[0]}`);
    return 2;
  }
  const agent = new LiveAgent({});
  const csv: Seen[][] = [];
  const xml: Seen[][] = [];
  await sleep(2_000);
  const [startCpuMs, startMs] = [childCpuMs(), performance.now()];
  for (let round = 0; round < ROUNDS; round++) {
    csv.push(fromCsv());
    xml.push(fromXml());
    await sleep(900);
  }
  const loopMs = childCpuMs() - startCpuMs;
  const gpus = agent.reports.at(-1)?.gpus ?? [];
  const late = agent.reports.findIndex((report) => report.gpus.length > 0);
  await agent.stop();
  console.log(`agent: ${gpus.length} GPUs, the first time in report ${late + 1} of ${agent.reports.length}`);
  console.log(
    `nvidia-smi in a loop: ${((100 * loopMs) / (performance.now() - startMs)).toFixed(2)} % of a core`,
  );
  const counts = [csv, xml].map((rounds) => rounds.at(-1)?.length ?? 0);
  let agrees = counts.every((count) => count === gpus.length) && gpus.length > 0 && late < 5;
  if (!agrees) console.log(`FAIL: GPUs by CSV and XML: ${counts.join(' and ')}; late: ${late}`);
  for (const [index, gpu] of gpus.entries()) {
    console.log(`GPU ${index}`);
    for (const [way, rounds] of [
      ['csv', csv],
      ['xml', xml],
    ] as const)
      agrees =
        compare(
          gpu,
          rounds.flatMap((round) => round[index] ?? []),
          way,
        ) && agrees;
  }
  console.log(agrees ? 'gpu-check: agreed' : 'gpu-check: DISAGREED');
  return agrees ? 0 : 1;
}

process.exitCode = await main();
