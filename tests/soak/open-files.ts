import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** What 10,000 connections take, and the gateway, the backend and the clients are processes of their own. */
const WANTED = 65_536;

/** Allows this process, and those that it starts, as many open files as the system lets it. Node raises only the soft limit. */
export function raiseOpenFiles(): void {
  if (openFilesMax() >= WANTED) return;
  spawnSync('prlimit', [`--pid=${process.pid}`, `--nofile=${WANTED}:${WANTED}`], { stdio: 'ignore' });
}

/** How many files this process may have open. */
export function openFilesMax(): number {
  return Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? 0);
}
