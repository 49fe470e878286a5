import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const USHER = fileURLToPath(new URL('../../bin/usher', import.meta.url));

const OUTPUT_CHARS_MAX = 20_000_000;
const STOP_LIMIT_MS = 20_000;

export interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process that a test started, with what it has printed so far. */
export interface Started {
  readonly child: ChildProcess;
  readonly result: Promise<Result>;
  output(): string;
}

const running = new Set<ChildProcess>();

// A test that throws leaves its processes behind; they end with this process at the latest.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts a program in a directory; nothing of this process's own `USHER_…` environment reaches it, and `more` is added. */
export function start(
  command: string,
  args: readonly string[],
  cwd: string,
  more: Readonly<Record<string, string>> = {},
): Started {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('USHER_'));
  const env = { ...Object.fromEntries(inherited), ...more };
  const child = spawn(command, [...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout = (stdout + text).slice(-OUTPUT_CHARS_MAX);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-OUTPUT_CHARS_MAX);
  });
  const result = new Promise<Result>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      running.delete(child);
      resolve({ code, stdout, stderr });
    });
  });
  return { child, result, output: () => stdout + stderr };
}

/** Runs one `usher` command to its end. */
export async function usher(args: readonly string[], cwd: string = ROOT): Promise<Result> {
  return await start(USHER, args, cwd).result;
}

/** Runs one `usher` command that must succeed and reads the JSON that it prints. */
export async function usherJson<T>(args: readonly string[], cwd: string = ROOT): Promise<T> {
  const { code, stdout, stderr } = await usher([...args, '--json'], cwd);
  if (code !== 0) throw new Error(`usher ${args.join(' ')} ended with ${code}: ${stderr}`);
  return JSON.parse(stdout) as T;
}

/** Sends a signal and waits for the end; a process that does not end in time is killed and the test fails. */
export async function end(started: Started, signal: NodeJS.Signals): Promise<Result> {
  const { child, result } = started;
  if (child.exitCode !== null || child.signalCode !== null) return await result;
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
  await once(child, 'exit');
  clearTimeout(timer);
  if (child.signalCode === 'SIGKILL' && signal !== 'SIGKILL') {
    throw new Error(`did not end within ${STOP_LIMIT_MS} ms of ${signal}:\n${started.output()}`);
  }
  return await result;
}
