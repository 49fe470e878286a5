import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { tempDir } from './temp-dir.ts';

const START_MS_MAX = 10_000;
const POLL_MS = 2;

/** A real NATS server with JetStream, on a free port of the loopback, with its files in a directory of its own. */
export interface NatsServer {
  readonly url: string;
  /** Ends it as a crash would: no signal handler runs, nothing is flushed. */
  kill9(): Promise<void>;
  /** Where its streams are kept. */
  readonly files: string;
  /** Starts it again with the same files on the same port. */
  restart(): Promise<void>;
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

/** Starts a server; `config` is added to its configuration file. */
export async function startNatsServer(config = ''): Promise<NatsServer> {
  if (spawnSync('nats-server', ['--version']).error !== undefined) {
    throw new Error('nats-server is not installed; on Debian and Ubuntu: apt-get install nats-server');
  }
  const dir = tempDir();
  const file = join(dir.path, 'server.conf');
  const start = async (port: number): Promise<{ child: ChildProcess; url: string }> => {
    writeFileSync(
      file,
      `host: 127.0.0.1\nport: ${port}\njetstream { store_dir: "${dir.path}/jetstream" }\n${config}\n`,
    );
    return launch(dir.path, file);
  };

  let { child, url } = await start(-1);
  const port = Number(new URL(url).port);
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    // A stopped process takes no signal but SIGKILL before it continues.
    child.kill('SIGCONT');
    child.kill(signal);
    await ended;
  };
  return {
    url,
    files: join(dir.path, 'jetstream'),
    kill9: () => end('SIGKILL'),
    async restart() {
      await end('SIGTERM');
      ({ child, url } = await start(port));
    },
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    async stop() {
      await end('SIGKILL');
      dir.remove();
    },
  };
}

/** Starts the process and waits for the file in which it tells the port that it got. */
async function launch(dir: string, config: string): Promise<{ child: ChildProcess; url: string }> {
  for (const name of portsFiles(dir)) rmSync(join(dir, name));
  const logFile = join(dir, 'server.log');
  const child = spawn('nats-server', ['-c', config, '--ports_file_dir', dir, '-l', logFile], {
    stdio: 'ignore',
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  const deadlineMs = performance.now() + START_MS_MAX;
  while (performance.now() < deadlineMs && child.exitCode === null) {
    const url = announcedUrl(dir);
    if (url !== undefined) return { child, url };
    await sleep(POLL_MS);
  }
  child.kill('SIGKILL');
  throw new Error(`nats-server did not start:\n${readFileSync(logFile, 'utf8').slice(-2000)}`);
}

function portsFiles(dir: string): string[] {
  return readdirSync(dir).filter((name) => name.endsWith('.ports'));
}

/** Undefined until the file is there and whole. */
function announcedUrl(dir: string): string | undefined {
  const name = portsFiles(dir)[0];
  if (name === undefined) return undefined;
  try {
    const ports = JSON.parse(readFileSync(join(dir, name), 'utf8')) as { nats?: string[] };
    return ports.nats?.[0];
  } catch {
    return undefined;
  }
}
