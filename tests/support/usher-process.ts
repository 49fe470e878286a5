import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { end, type Result, type Started, start, USHER, usher, usherJson } from './command.ts';
import { freePorts, type Ports } from './ports.ts';
import { Successor } from './successor.ts';
import { until } from './wait.ts';

export interface Setup {
  /** An empty directory of the process's own. */
  readonly directory: string;
  /** Everything but the addresses, the data directory and the name. */
  readonly config: string;
  readonly name?: string;
  /** Keys of `admin` beside its address. */
  readonly adminKeys?: string;
  /** Services to run; all without it. */
  readonly only?: string;
  /** The list of listeners in YAML, given the port for traffic; one of plain HTTP without it. */
  readonly listen?: (trafficPort: number) => string;
  /** Flags for Node, as in `NODE_OPTIONS`. */
  readonly nodeOptions?: string;
  /** More of the environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** What `usher status --json` says, as far as tests read it. */
export interface Status {
  readonly position: number;
  readonly digest: string;
  readonly degraded: readonly string[];
}

export interface BackendRow {
  readonly id: string;
  readonly url: string;
  readonly eligibility: string;
}

/** One Usher process on ports of its own, which may be ended and started again. */
export class UsherProcess {
  readonly ports: Ports;
  readonly configFile: string;
  readonly dataDirectory: string;
  readonly #setup: Setup;
  #started: Started | undefined;
  /** Runs in its place since a hot restart. */
  #successor: Successor | undefined;

  private constructor(setup: Setup, ports: Ports) {
    const { directory, config, name = 'usher-1', adminKeys = '', listen = plainListener } = setup;
    this.#setup = setup;
    this.ports = ports;
    this.dataDirectory = path.join(directory, 'data');
    this.configFile = path.join(directory, 'usher.yaml');
    mkdirSync(directory, { recursive: true });
    writeFileSync(
      this.configFile,
      `name: ${name}
listen: ${listen(ports.traffic)}
admin: { address: "127.0.0.1:${ports.admin}", ${adminKeys} }
metrics: { address: "127.0.0.1:${ports.metrics}" }
data: ./data
${config}`,
    );
  }

  /** Starts a process and waits until it says that it is ready. */
  static async start(setup: Setup): Promise<UsherProcess> {
    const usherProcess = new UsherProcess(setup, await freePorts());
    await usherProcess.start();
    return usherProcess;
  }

  get traffic(): string {
    return `http://127.0.0.1:${this.ports.traffic}`;
  }

  /** Of the process that was started last. */
  get pid(): number {
    return this.#successor?.pid ?? this.#started?.child.pid ?? 0;
  }

  /** What it has printed. */
  get output(): string {
    return this.#started?.output() ?? '';
  }

  get admin(): string {
    return `http://127.0.0.1:${this.ports.admin}`;
  }

  async start(): Promise<void> {
    const { only, directory, nodeOptions, env: more } = this.#setup;
    const args = ['run', '--config', this.configFile, ...(only === undefined ? [] : ['--only', only])];
    const env = { ...(nodeOptions === undefined ? {} : { NODE_OPTIONS: nodeOptions }), ...more };
    const started = start(USHER, args, directory, env);
    this.#started = started;
    await until('ready', async () => {
      if (started.child.exitCode !== null) throw new Error(`ended while starting:\n${started.output()}`);
      return await isReady(this.ports.metrics);
    });
  }

  /** Ends it as a crash would: no signal handler runs, nothing is flushed. */
  async kill9(): Promise<void> {
    if (this.#started !== undefined) await this.#end(this.#started, 'SIGKILL');
  }

  /** Stops it from running while its sockets stay open, as a stalled machine would. */
  freeze(): void {
    process.kill(this.pid, 'SIGSTOP');
  }

  thaw(): void {
    process.kill(this.pid, 'SIGCONT');
  }

  async stop(): Promise<Result | undefined> {
    return this.#started === undefined ? undefined : await this.#end(this.#started, 'SIGTERM');
  }

  /** Has it hand over to a new process; resolves when the old one has ended. */
  async hotRestart(): Promise<void> {
    const before = this.#successor;
    const child = this.#started?.child;
    const successor = await Successor.of(this.pid);
    await (before === undefined ? until('it has ended', () => child?.exitCode === 0) : before.ended());
    this.#successor = successor;
  }

  async #end(started: Started, signal: NodeJS.Signals): Promise<Result> {
    const successor = this.#successor;
    this.#successor = undefined;
    await successor?.end(signal);
    return await end(started, signal);
  }

  /** Runs a command with this process's configuration. */
  async run(...args: readonly string[]): Promise<Result> {
    return await usher([...args, '--config', this.configFile]);
  }

  async json<T>(...args: readonly string[]): Promise<T> {
    return await usherJson<T>([...args, '--config', this.configFile]);
  }

  async status(): Promise<Status> {
    return await this.json<Status>('status');
  }

  /** Digest of the state at a position, from the log alone. */
  async replayedDigest(position: number): Promise<string> {
    return (await this.json<Status>('replay', '--digest', '--at', String(position))).digest;
  }

  /** Waits until the backends named may get requests. */
  async eligible(...ids: readonly string[]): Promise<void> {
    await until(`${ids.join(', ')} eligible`, async () => {
      const rows = await this.json<readonly BackendRow[]>('backends');
      return ids.every((id) => rows.some((row) => row.id === id && row.eligibility === 'ok'));
    });
  }
}

function plainListener(port: number): string {
  return `["127.0.0.1:${port}"]`;
}

/** Whether the process with this metrics port takes traffic. */
export async function isReady(metricsPort: number): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${metricsPort}/health`).catch(() => undefined);
  await response?.arrayBuffer();
  return response?.status === 200;
}
