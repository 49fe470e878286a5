import { Worker } from 'node:worker_threads';
import type { FromWorker, ToWorker, WorkerStart } from '../worker/protocol.ts';

const ENTRY = new URL('../worker/main.ts', import.meta.url);

/** One running worker thread. */
export class WorkerThread {
  readonly #thread: Worker;
  /** Resolves when the thread is gone, with what made it go when it failed. */
  readonly ended: Promise<string | undefined>;

  constructor(name: string, start: WorkerStart, onMessage: (message: FromWorker) => void) {
    // Flags of the process are for the process; a worker needs none of them.
    this.#thread = new Worker(ENTRY, { name, workerData: start, execArgv: [] });
    let failure: string | undefined;
    this.#thread.on('message', (message: FromWorker) => {
      if (message.kind === 'failed') failure = message.cause;
      onMessage(message);
    });
    this.#thread.on(
      'error',
      (error) => (failure = error instanceof Error ? (error.stack ?? error.message) : String(error)),
    );
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    this.ended = promise;
    this.#thread.on('exit', (code) => resolve(failure ?? (code === 0 ? undefined : `exit code ${code}`)));
  }

  get threadId(): number {
    return this.#thread.threadId;
  }

  post(message: ToWorker): void {
    this.#thread.postMessage(message, []);
  }

  async kill(): Promise<void> {
    await this.#thread.terminate();
  }
}
