import { readFileSync } from 'node:fs';
import { until } from './wait.ts';

const running = new Set<number>();

// As the processes that we started ourselves, it ends with this one at the latest.
process.on('exit', () => {
  for (const pid of running) send(pid, 'SIGKILL');
});

/** A process that one which we started has started in its place. */
export class Successor {
  readonly pid: number;

  private constructor(pid: number) {
    this.pid = pid;
    running.add(pid);
  }

  /** Has a process hand over to a new one, and resolves with that while both run. */
  static async of(pid: number): Promise<Successor> {
    process.kill(pid, 'SIGUSR2');
    return new Successor(await until('a new process', () => childOf(pid)));
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    send(this.pid, signal);
    await this.ended();
  }

  async ended(): Promise<void> {
    await until('the process has ended', () => !send(this.pid, 0));
    running.delete(this.pid);
  }
}

function childOf(pid: number): number | undefined {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
  return children.map(Number).find((child) => commandLine(child).includes('run'));
}

function commandLine(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

/** False when there is no such process. */
function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
