import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { tempDir } from '@usher/testing';
import { type Backend, startBackend } from './backend.ts';
import { end, type Started, start, USHER } from './command.ts';
import type { Ports } from './ports.ts';
import { isReady } from './usher-process.ts';
import { until } from './wait.ts';

interface Options {
  readonly ports: Ports;
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Keys of Usher that keep this test from the usual ports. */
  readonly set?: Readonly<Record<string, string>>;
}

interface Setup extends Options {
  readonly system: string;
  readonly config: string;
}

/** Processes on files of other systems, and backends, which all end together. */
export class ForeignRuns {
  readonly #directory = tempDir();
  readonly #backends: Backend[] = [];
  readonly #processes: Started[] = [];

  /** Where files may be written. */
  get directory(): string {
    return this.#directory.path;
  }

  async backend(name: string): Promise<Backend> {
    const started = await startBackend(name);
    this.#backends.push(started);
    return started;
  }

  /** Runs the file of another system as it is. */
  async run({ system, config, ...options }: Setup): Promise<Started> {
    const folder = path.join(this.#directory.path, system);
    mkdirSync(folder);
    return await this.runFile(path.join(folder, `${system}.yaml`), config, options);
  }

  /** Writes such a file and runs it in its folder. */
  async runFile(
    file: string,
    text: string,
    { ports, flags = [], env = {}, set = {} }: Options,
  ): Promise<Started> {
    const folder = path.dirname(file);
    writeFileSync(file, text);
    const own = {
      'metrics.address': `127.0.0.1:${ports.metrics}`,
      'admin.address': `127.0.0.1:${ports.admin}`,
      ...set,
    };
    const overrides = Object.entries(own).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
    const args = ['run', '--config', file, '--workers', '1', ...overrides];
    const started = start(USHER, [...args, ...(flags.length === 0 ? [] : ['--', ...flags])], folder, env);
    this.#processes.push(started);
    await until('ready', async () => {
      if (started.child.exitCode !== null) throw new Error(`ended while starting:\n${started.output()}`);
      return await isReady(ports.metrics);
    });
    return started;
  }

  async end(): Promise<void> {
    for (const one of this.#processes) await end(one, 'SIGKILL');
    for (const one of this.#backends) await one.stop();
    this.#directory.remove();
  }
}

export const textOf = async (url: string) => await (await fetch(url)).text();
