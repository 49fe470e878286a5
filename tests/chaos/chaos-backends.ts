import { fileURLToPath } from 'node:url';
import { end, type Started, start } from '../support/command.ts';
import { until } from '../support/wait.ts';

const MAIN = fileURLToPath(new URL('./backend-main.ts', import.meta.url));

/** Backends in a process of their own. */
export class ChaosBackends {
  readonly ports: readonly number[];
  readonly #started: Started;

  private constructor(started: Started, ports: readonly number[]) {
    this.#started = started;
    this.ports = ports;
  }

  static async start(count: number, folder: string, keepAliveMs = 120_000): Promise<ChaosBackends> {
    const started = start(process.execPath, [MAIN, String(count), String(keepAliveMs)], folder);
    const ports = await until(
      'the backends listen',
      () => /^listening on ([\d ]+)$/m.exec(started.output())?.[1],
    );
    return new ChaosBackends(started, ports.split(' ').map(Number));
  }

  get pid(): number {
    return this.#started.child.pid ?? 0;
  }

  async stop(): Promise<void> {
    await end(this.#started, 'SIGKILL');
  }
}
