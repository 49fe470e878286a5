import { readFileSync } from 'node:fs';

/** What `/proc` says at one time, read by other code than the agent's. */
export interface ProcReading {
  /** Ticks that each core was idle and waited, and all of its ticks. */
  readonly cores: readonly { readonly idle: number; readonly all: number }[];
  readonly memoryUsedBytes: number;
}

export function readProc(): ProcReading {
  const cores = readFileSync('/proc/stat', 'utf8')
    .split('\n')
    .filter((line) => /^cpu\d/.test(line))
    .map((line) => {
      const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, softirq = 0, steal = 0] = line
        .split(' ')
        .slice(1)
        .map(Number);
      return { idle: idle + wait, all: user + nice + system + idle + wait + irq + softirq + steal };
    });
  const meminfo = readFileSync('/proc/meminfo', 'utf8');
  const kib = (name: string): number => Number(new RegExp(`^${name}: +(\\d+) kB`, 'm').exec(meminfo)?.[1]);
  return { cores, memoryUsedBytes: (kib('MemTotal') - kib('MemAvailable')) * 1_024 };
}

/** Percent that each core was busy between two readings. */
export function busyBetween(from: ProcReading, to: ProcReading): number[] {
  return to.cores.map(({ idle, all }, core) => {
    const before = from.cores[core] ?? { idle: 0, all: 0 };
    return 100 * (1 - (idle - before.idle) / (all - before.all));
  });
}

/** A program for `node -e` that keeps one core busy for a share of each 20 ms, for so long at the most. */
export function loadProgram(share: number, secondsMax: number): string {
  return `const end = Date.now() + ${secondsMax * 1_000};
    setInterval(() => {
      const until = performance.now() + ${20 * share};
      while (performance.now() < until);
      if (Date.now() > end) process.exit();
    }, 20);`;
}
