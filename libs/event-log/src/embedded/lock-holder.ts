import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/**
 * Who holds a lock. A number of a process means something only in the namespace that gave it, and there the start tells a
 * process from a later one that got the same number, as it happens in containers.
 */
export interface Holder {
  /** Unlike any other holder's. */
  readonly owner: string;
  readonly pid: number;
  readonly start: string;
  /** Id of the machine's boot, or its name where the system tells no such id. Empty in locks of older versions. */
  readonly machine: string;
  /** The namespace of process numbers; empty where the system has none. */
  readonly namespace: string;
}

export function thisProcess(owner: string): Holder {
  return {
    owner,
    pid: process.pid,
    start: startOf(process.pid),
    machine: read('/proc/sys/kernel/random/boot_id') || hostname(),
    namespace: namespaceOfProcesses(),
  };
}

/** Undefined when the text is not that of a lock. */
export function parseHolder(text: string): Holder | undefined {
  try {
    const { owner = '', pid, start, machine = '', namespace = '' } = JSON.parse(text) as Partial<Holder>;
    if (typeof pid !== 'number' || typeof start !== 'string') return undefined;
    return { owner, pid, start, machine, namespace };
  } catch {
    return undefined;
  }
}

/**
 * Whether the holder runs: `unknown` when its number was given in another namespace or on another machine. A lock of an
 * older version does not say where; then only a process that fits it counts.
 */
export function stateOf(holder: Holder): 'running' | 'dead' | 'unknown' {
  const { machine, namespace } = thisProcess('');
  const here = holder.machine === machine && holder.namespace === namespace;
  if (!here && holder.machine !== '') return 'unknown';
  if (isAlive(holder)) return 'running';
  return here ? 'dead' : 'unknown';
}

function isAlive({ pid, start }: Holder): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it runs, but as another user.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return start === startOf(pid);
}

/** When a process was started, in the kernel's ticks; empty where the system does not tell. */
function startOf(pid: number): string {
  const stat = read(`/proc/${pid}/stat`);
  // The name, in parentheses, may contain spaces; the start is the 20th field behind it.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

function namespaceOfProcesses(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1').trim();
  } catch {
    return '';
  }
}
