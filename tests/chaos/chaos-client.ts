import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ClientTask, FromClient, Sample, ToClient } from './client/messages.ts';

const MAIN = fileURLToPath(new URL('./client/main.ts', import.meta.url));

/** The client of all chaos, in a process of its own so that nothing else holds it up. */
export class ChaosClient {
  readonly #child: ChildProcess;

  constructor(task: ClientTask) {
    this.#child = fork(MAIN, [JSON.stringify(task)]);
    process.on('exit', this.#kill);
  }

  go(): void {
    this.#child.send({ kind: 'go' } satisfies ToClient);
  }

  /** Ends the load, waits for all answers, and gives back every request since it was begun. */
  async rest(): Promise<readonly Sample[]> {
    const answered = once(this.#child, 'message') as Promise<[FromClient]>;
    this.#child.send({ kind: 'rest' } satisfies ToClient);
    const [{ samples }] = await answered;
    return samples;
  }

  async stop(): Promise<void> {
    process.off('exit', this.#kill);
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  readonly #kill = (): void => {
    this.#child.kill('SIGKILL');
  };
}
