import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';
import { tempDir } from './temp-dir.ts';

const START_MS_MAX = 10_000;
const POLL_MS = 2;
/** A port that was free may be taken before the server binds it. */
const PORT_TRIES_MAX = 5;

/** A real Redis server on a free port of the loopback. */
export interface RedisServer {
  /** `redis://127.0.0.1:<port>`. */
  readonly url: string;
  /** Ends it as a crash would. */
  kill9(): Promise<void>;
  /** Starts it again on the same port, empty unless it keeps a log. */
  restart(): Promise<void>;
  /** Forgets everything, as by the command FLUSHALL. */
  flush(): Promise<void>;
  /** Stops it from running while its sockets stay open, as a stalled machine would. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

const running = new Set<ChildProcess>();

// A test that throws leaves its servers behind; they end with the process at the latest.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export interface RedisServerOptions {
  /** Everything is written to an append-only file at once, and read from it by the next start. Default: nothing is on disk. */
  readonly keepsLog?: boolean;
  /** Further settings by the names that they have in `redis.conf`. */
  readonly settings?: Readonly<Record<string, string>>;
}

export async function startRedisServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  if (spawnSync('redis-server', ['--version']).error !== undefined) {
    throw new Error('redis-server is not installed; on Debian and Ubuntu: apt-get install redis-server');
  }
  const dir = tempDir();
  const settings = { appendonly: options.keepsLog === true ? 'yes' : 'no', ...options.settings };
  let { child, port } = await launchOnFreePort(dir.path, settings);
  const end = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    kill9: end,
    async restart() {
      await end();
      child = await launch(dir.path, port, settings);
    },
    async flush() {
      if ((await told(port, 'FLUSHALL')) !== '+OK\r\n') throw new Error('redis-server did not forget');
    },
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    async stop() {
      await end();
      dir.remove();
    },
  };
}

type Settings = Readonly<Record<string, string>>;

async function launchOnFreePort(
  dir: string,
  settings: Settings,
): Promise<{ child: ChildProcess; port: number }> {
  for (let tries = 1; ; tries++) {
    const port = await freePort();
    try {
      return { child: await launch(dir, port, settings), port };
    } catch (error) {
      if (tries === PORT_TRIES_MAX) throw error;
    }
  }
}

async function launch(dir: string, port: number, settings: Settings): Promise<ChildProcess> {
  const options = { bind: '127.0.0.1', port, save: '', appendfsync: 'always', dir, ...settings };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'ignore'] });
  running.add(child);
  child.once('exit', () => running.delete(child));
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(-2000);
  });
  const deadlineMs = performance.now() + START_MS_MAX;
  while (performance.now() < deadlineMs && child.exitCode === null) {
    if (await answers(port)) return child;
    await sleep(POLL_MS);
  }
  child.kill('SIGKILL');
  throw new Error(`redis-server did not start:\n${output}`);
}

/** Whether what listens on the port is Redis and answers. */
async function answers(port: number): Promise<boolean> {
  try {
    // One that wants a password first is up, too.
    return /^(\+PONG|-NOAUTH)/.test(await told(port, 'PING'));
  } catch {
    return false;
  }
}

/** What it says to a command, on a connection of its own. */
async function told(port: number, command: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    socket.write(`${command}\r\n`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    return answer.toString();
  } finally {
    socket.destroy();
  }
}
