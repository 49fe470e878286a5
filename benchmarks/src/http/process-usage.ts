import { readdirSync, readFileSync } from 'node:fs';

/** The kernel counts CPU time in ticks of this length (USER_HZ is 100 on every Linux that Node runs on). */
const TICK_US = 10_000;

export interface Usage {
  /** CPU time in user and system mode of a process, all its threads and all its descendants. */
  readonly cpuUs: number;
  /** Resident memory of the same; pages that processes share count for each of them. */
  readonly rssBytes: number;
}

/** Usage of a process and all its descendants now. */
export function usageOf(pid: number): Usage {
  let cpuUs = 0;
  let rssBytes = 0;
  for (const each of tree(pid)) {
    // The fields after the command's name, which may itself contain spaces and brackets.
    const fields = read(each, 'stat').split(') ').at(-1)?.split(' ') ?? [];
    cpuUs += (Number(fields[11]) + Number(fields[12])) * TICK_US;
    rssBytes += Number(/^VmRSS:\s+(\d+) kB/m.exec(read(each, 'status'))?.[1] ?? 0) * 1024;
  }
  return { cpuUs, rssBytes };
}

function tree(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const parent = Number(read(Number(name), 'stat').split(') ').at(-1)?.split(' ')[1] ?? 0);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found = [root];
  for (const pid of found) found.push(...(children.get(pid) ?? []));
  return found;
}

/** A process may end between being listed and being read. */
function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
