import { Worker } from 'node:worker_threads';
import type { FromWorker, ToWorker, WorkerStart } from '../worker/protocol.ts';

const ENTRY = new URL('../worker/main.ts', import.meta.url);

/** A worker as its control thread knows it. */
export interface RunningWorker {
  /** Resolves when it is gone, with what made it go when it failed. */
  readonly ended: Promise<string | undefined>;
  post(message: ToWorker): void;
  kill(): Promise<void>;
}

/** Starts a worker, which tells by `listening` that it is there. */
export type StartWorker = (
  name: string,
  start: WorkerStart,
  onMessage: (message: FromWorker) => void,
) => RunningWorker;

/** One running worker thread. */
export class WorkerThread implements RunningWorker {
  readonly #thread: Worker;
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
