import { fileURLToPath } from 'node:url';
import { end, ROOT, type Started, start } from '../support/command.ts';
import { until } from '../support/wait.ts';
import type { BackendMode, Counts } from './backend-main.ts';

const MAIN = fileURLToPath(new URL('./backend-main.ts', import.meta.url));

export interface BackendSetup {
  /** For how long they keep connections that are idle; for two minutes by default. */
  readonly keepAliveMs?: number;
  /** What they speak; HTTP/1.1 by default. */
  readonly protocol?: 'http2';
}

/** Backends in a process of their own. */
export class ChaosBackends {
  /** Where each of them listens. */
  readonly ports: readonly number[];
  readonly #control: string;
  readonly #started: Started;

  private constructor(started: Started, [control = 0, ...ports]: readonly number[]) {
    this.#started = started;
    this.#control = `http://127.0.0.1:${control}`;
    this.ports = ports;
  }

  static async start(count: number, setup: BackendSetup = {}): Promise<ChaosBackends> {
    const { keepAliveMs = 120_000, protocol = '' } = setup;
    const started = start(process.execPath, [MAIN, String(count), String(keepAliveMs), protocol], ROOT);
    const ports = await until(
      'the backends listen',
      () => /^listening on ([\d ]+)$/m.exec(started.output())?.[1],
    );
    return new ChaosBackends(started, ports.split(' ').map(Number));
  }

  async set(mode: BackendMode, places: readonly number[] = [...this.ports.keys()]): Promise<void> {
    for (const place of places) await this.#ask(`/mode/${place}/${mode}`);
  }

  async counts(): Promise<Counts> {
    return await this.#ask('/counts');
  }

  async stop(): Promise<void> {
    await end(this.#started, 'SIGKILL');
  }

  async #ask(path: string): Promise<Counts> {
    const response = await fetch(`${this.#control}${path}`);
    return (await response.json()) as Counts;
  }
}
