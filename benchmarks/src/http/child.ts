import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { request as requestOverTls } from 'node:https';
import { connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectOverTls } from 'node:tls';

const START_LIMIT_MS = 20_000;
const STOP_LIMIT_MS = 5_000;
const POLL_MS = 25;
const OUTPUT_LINES_MAX = 20;

/** A server that runs on its cores until it is stopped. */
export interface Server {
  readonly pid: number;
  stop(): Promise<void>;
}

/**
 * Starts a server pinned to cores and waits until it answers a request; what it prints goes to a file. `preamble`: what
 * connections to it begin with.
 */
export async function startServer(
  cores: readonly number[],
  command: readonly string[],
  url: string,
  outputFile: string,
  preamble = '',
): Promise<Server> {
  const output = createWriteStream(outputFile);
  await once(output, 'open');
  // taskset execs the command, so the PID is the server's own.
  const child = spawn('taskset', ['-c', cores.join(','), ...command], { stdio: ['ignore', output, output] });
  child.on('error', (error) => output.end(`${error.message}\n`));
  try {
    await answering(child, url, preamble);
  } catch (error) {
    // Not by force at once: nginx would leave its workers behind.
    await stop(child);
    const printed = readFileSync(outputFile, 'utf8').trim().split('\n').slice(-OUTPUT_LINES_MAX).join('\n');
    throw new Error(`${command[0]}: ${(error as Error).message}\n${printed}`, { cause: error });
  }
  return { pid: child.pid ?? 0, stop: async () => await stop(child) };
}

async function answering(child: ChildProcess, url: string, preamble: string): Promise<void> {
  const until = performance.now() + START_LIMIT_MS;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`ended with exit code ${child.exitCode}`);
    if ((await statusOf(url, preamble).catch(() => undefined)) === 200) return;
    if (performance.now() > until) throw new Error(`did not answer ${url} within ${START_LIMIT_MS} ms`);
    await delay(POLL_MS);
  }
}

/** The certificates of benchmarks are signed by nobody, so they are not looked at. */
async function statusOf(url: string, preamble: string): Promise<number | undefined> {
  const { protocol, hostname, port } = new URL(url);
  const secret = protocol === 'https:';
  const open = () => {
    if (secret) return connectOverTls({ host: hostname, port: Number(port), rejectUnauthorized: false });
    const socket = connect(Number(port), hostname);
    if (preamble !== '') socket.write(preamble);
    return socket;
  };
  return await new Promise((resolve, reject) => {
    (secret ? requestOverTls : request)(url, { createConnection: open }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode));
    })
      .once('error', reject)
      .end();
  });
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
  await ended;
  clearTimeout(timer);
}

/** A port on which nothing listens now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('a listening server has an address');
  return address.port;
}
