import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { arch, cpus, release } from 'node:os';

/** Where and of what a result was measured. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly system: string;
  readonly node: string;
  /** Commit of the working tree, `+` when it had changes. */
  readonly commit: string;
  readonly measuredAt: string;
  /** Processes that wanted a CPU in the last minute before the end, on average; the run itself makes about two. */
  readonly load: number;
}

export function machine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    system: `Linux ${release()} ${arch()}`,
    node: process.versions.node,
    commit: commit(),
    measuredAt: new Date().toISOString(),
    load: Number(readFileSync('/proc/loadavg', 'utf8').split(' ')[0]),
  };
}

/** An archive of the sources has no commit; that must not cost a result. */
function commit(): string {
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no') !== '';
    return git('rev-parse', '--short=10', 'HEAD') + (changed ? '+' : '');
  } catch {
    return 'unknown';
  }
}

function git(...args: string[]): string {
  return execFileSync('git', args, { encoding: 'utf8', stdio: 'pipe' }).trim();
}
