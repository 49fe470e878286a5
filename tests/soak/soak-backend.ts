import { fileURLToPath } from 'node:url';
import { end, type Started, start } from '../support/command.ts';
import { until } from '../support/wait.ts';

const MAIN = fileURLToPath(new URL('./backend/main.ts', import.meta.url));

/** The backend of all soaks, in a process of its own. */
export class SoakBackend {
  readonly port: number;
  readonly #started: Started;

  private constructor(started: Started, port: number) {
    this.#started = started;
    this.port = port;
  }

  static async start(folder: string): Promise<SoakBackend> {
    const started = start(process.execPath, [MAIN], folder);
    const port = await until(
      'the backend listens',
      () => /^listening on (\d+)$/m.exec(started.output())?.[1],
    );
    return new SoakBackend(started, Number(port));
  }

  async stop(): Promise<void> {
    await end(this.#started, 'SIGKILL');
  }
}
