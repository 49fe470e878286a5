import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { usageOf } from './http/process-usage.ts';
import { UsageError } from './usage-error.ts';

const USHER = fileURLToPath(new URL('../../bin/usher', import.meta.url));
const SECONDS_DEFAULT = 300;
const SECONDS_MAX = 3_600;
/** What starting costs is over by then. */
const SETTLE_MS = 5_000;
const TARGET_PERCENT = 0.3;

/** What share of a core `usher agent` costs, with all it starts, reporting once a second over HTTP to this process. */
export async function run(args: readonly string[]): Promise<void> {
  const seconds = secondsOf(args);
  let reports = 0;
  const server = createServer((request, response) => {
    reports += 1;
    request.resume().on('end', () => response.writeHead(204).end());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const agent = spawn(USHER, ['agent', '--backend', 'bench', '--url', url], { stdio: 'ignore' });
  try {
    await measure(agent, seconds, () => reports);
  } finally {
    agent.kill('SIGKILL');
    server.closeAllConnections();
    server.close();
  }
}

function secondsOf(args: readonly string[]): number {
  const { values } = parseArgs({ args: [...args], options: { seconds: { type: 'string' } } });
  const seconds = Number(values.seconds ?? SECONDS_DEFAULT);
  if (Number.isInteger(seconds) && seconds >= 10 && seconds <= SECONDS_MAX) return seconds;
  throw new UsageError(`--seconds takes a whole number from 10 to ${SECONDS_MAX}`);
}

async function measure(agent: ChildProcess, seconds: number, reports: () => number): Promise<void> {
  const pid = agent.pid ?? 0;
  await sleep(SETTLE_MS);
  const [startMs, start, before] = [performance.now(), usageOf(pid), reports()];
  console.log(`agent: started for ${start.cpuUs / 1_000} ms of CPU; measuring for ${seconds} s`);
  await sleep(seconds * 1_000);
  if (agent.exitCode !== null) throw new Error(`the agent ended with ${agent.exitCode}`);
  const [elapsedMs, end] = [performance.now() - startMs, usageOf(pid)];
  const cpuMs = (end.cpuUs - start.cpuUs) / 1_000;
  const percent = (cpuMs / elapsedMs) * 100;
  const perReport = cpuMs / Math.max(1, reports() - before);
  console.log(
    `agent: ${percent.toFixed(3)} % of a core (target ${TARGET_PERCENT} %), ${cpuMs.toFixed(0)} ms in ${(elapsedMs / 1_000).toFixed(0)} s`,
  );
  console.log(`agent: ${reports() - before} reports, ${perReport.toFixed(2)} ms of CPU each`);
  console.log(`agent: ${mib(start.rssBytes)} MiB resident at the start, ${mib(end.rssBytes)} MiB at the end`);
}

function mib(bytes: number): string {
  return (bytes / 1_048_576).toFixed(1);
}
