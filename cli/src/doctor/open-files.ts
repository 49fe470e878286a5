import { readFileSync } from 'node:fs';
import type { UsherConfig } from '@usher/config';
import { type Finding, findingsAbout } from './finding.ts';

/** Files of the log, of certificates and of threads, connections to NATS and Redis, and some to spare. */
const BESIDES = 256;

const { ok, warning, error } = findingsAbout('open files');

/** Compares how many files and sockets a process may have open with what the connections that it takes need. */
export function judgeOpenFiles({ shared }: UsherConfig, allowed: number, whose: string): Finding {
  const { connections } = shared.limits;
  // Each may have one to a backend.
  const needed = 2 * connections + BESIDES;
  const has = `${whose} may have ${allowed} open; limits.connections of ${connections} need ${needed}`;
  const remedy = `set LimitNOFILE=${needed} in the unit, or run \`ulimit -n ${needed}\` before it is started, or lower limits.connections`;
  if (allowed >= needed) return ok(has);
  return allowed < connections ? error(has, remedy) : warning(has, remedy);
}

/** For this process and those that it starts. Node raises what it begins with to what it may. */
export function openFilesAllowed(): number {
  const { userLimits } = process.report.getReport() as {
    readonly userLimits?: { readonly open_files?: { readonly hard?: number | 'unlimited' } };
  };
  const hard = userLimits?.open_files?.hard;
  return typeof hard === 'number' ? hard : Number.POSITIVE_INFINITY;
}

/** For another process of this machine; undefined where the system does not tell. */
export function openFilesOf(pid: number): number | undefined {
  try {
    const limits = readFileSync(`/proc/${pid}/limits`, 'latin1');
    const [, soft] = /^Max open files\s+(\d+|unlimited)/m.exec(limits) ?? [];
    if (soft === undefined) return undefined;
    return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
  } catch {
    return undefined;
  }
}
