import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

/** The ports that the demo backends take when they are free. */
const PORTS_WANTED = [9081, 9082, 9083];
/** A demo backend that was killed is started again after this long, so that one can watch it leave and come back. */
const RESTART_AFTER_MS = 2_000;

/** Three backends in processes of their own, so that one can be killed. */
export interface Demo {
  /** A configuration that balances over them. */
  readonly yaml: string;
  readonly backends: readonly { readonly id: string; readonly port: number; pid(): number | undefined }[];
  stop(): void;
}

export async function startDemo(): Promise<Demo> {
  const ports = [];
  for (const wanted of PORTS_WANTED) ports.push(await freePort(wanted));
  const children = new Map<string, ChildProcess>();
  let stopping = false;
  const start = async (id: string, port: number) => {
    const child = spawn(
      process.execPath,
      [...process.execArgv, mainFile(), 'demo-backend', '--port', String(port), '--name', id],
      {
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      },
    );
    children.set(id, child);
    child.on('exit', () => {
      if (!stopping) setTimeout(() => stopping || void start(id, port), RESTART_AFTER_MS).unref();
    });
    await once(child, 'message');
  };
  const named = ports.map((port, index) => ({ id: `demo-${index + 1}`, port }));
  await Promise.all(named.map(async ({ id, port }) => await start(id, port)));
  const backends = named.map(({ id, port }) => {
    return { id, port, pid: () => children.get(id)?.pid };
  });
  const stop = () => {
    stopping = true;
    for (const child of children.values()) child.kill('SIGKILL');
  };
  process.once('exit', stop);
  return { yaml: demoYaml(backends), backends, stop };
}

function demoYaml(backends: readonly { readonly id: string; readonly port: number }[]): string {
  const lines = backends.map(({ id, port }) => `      - { id: ${id}, url: "http://127.0.0.1:${port}" }`);
  return [
    'logging: { format: text }',
    // One worker, so that the backends answer strictly in turn: each worker keeps its own turn.
    'workers: 1',
    'pools:',
    '  demo:',
    '    strategy: round_robin',
    '    health: { type: http, path: /health, interval: 1s, timeout: 500ms, fall: 2, rise: 1 }',
    '    backends:',
    ...lines,
    'routes:',
    '  - { path: "/*", pool: demo }',
    '',
  ].join('\n');
}

function mainFile(): string {
  return fileURLToPath(new URL('../main.ts', import.meta.url));
}

/** The port if nobody listens on it, else any free one. */
async function freePort(wanted: number): Promise<number> {
  return (await tryPort(wanted)) ?? (await tryPort(0)) ?? wanted;
}

function tryPort(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : undefined));
    });
  });
}
