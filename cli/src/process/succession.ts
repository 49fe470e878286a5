import { type ChildProcess, spawn } from 'node:child_process';
import type { Clock, Log } from '@usher/ports';
import { listeningSockets } from '@usher/runtime';
import { type FromSuccessor, SUCCESSOR_VARIABLE, type ToSuccessor } from './handover.ts';
import type { Give } from './heir-outbox.ts';

/** How long a successor may take to be ready. */
const START_MAX_MS = 60_000;
/** A process whose log is given away has to find a successor: how long it waits before it tries again. */
const AGAIN_MS = 2_000;
/** The descriptors of a child begin with its three streams and the channel between the two. */
const FIRST_FD = 4;

export interface SuccessionOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What runs Usher again as this process was run. */
  readonly commandLine: readonly string[];
  readonly gateway: string;
  readonly log: Log;
  readonly clock: Clock;
  /** Closes the log, for the successor to open it. */
  readonly releaseLog: () => Promise<void>;
}

/**
 * Hands everything over to a new process of the same command line: it inherits the sockets that listen, so no connection is
 * refused or lost, and begins while this one still serves.
 */
export class Succession {
  readonly #options: SuccessionOptions;
  readonly #done = Promise.withResolvers<Give>();
  #running = false;
  #stopped = false;
  #released: Promise<void> | undefined;
  #child: ChildProcess | undefined;
  #successor: ChildProcess | undefined;

  constructor(options: SuccessionOptions) {
    this.#options = options;
  }

  /** Resolves when a successor takes traffic, with what gives it the facts of this process. */
  get done(): Promise<Give> {
    return this.#done.promise;
  }

  /** Starts a successor, unless one is starting. When it fails and nothing was handed over yet, everything stays as it was. */
  async begin(): Promise<void> {
    const { log, clock } = this.#options;
    if (process.platform !== 'linux') {
      log.error('a hot restart is possible on Linux only; nothing has changed');
      return;
    }
    if (this.#running) return;
    this.#running = true;
    do {
      const fault = await this.#attempt();
      if (fault === undefined || this.#stopped) return;
      const going = this.#released === undefined ? 'nothing has changed' : 'serving on, and trying again';
      log.error(`the new process did not take over; ${going}`, { cause: fault });
      if (this.#released === undefined) break;
      const { promise, resolve } = Promise.withResolvers<void>();
      clock.after(AGAIN_MS, resolve);
      await promise;
    } while (!this.#stopped);
    this.#running = false;
  }

  /** Ends a successor that is not ready yet. */
  stop(): void {
    this.#stopped = true;
    this.#child?.kill();
  }

  /** Nothing more is to be told to the successor. */
  part(): void {
    this.#successor?.disconnect();
    this.#successor?.unref();
  }

  /** Undefined when the successor is ready, else why it is not. */
  async #attempt(): Promise<string | undefined> {
    const { env, commandLine, clock, log, gateway } = this.#options;
    const [program = '', ...args] = commandLine;
    const ours = listeningSockets();
    const child = spawn(program, args, {
      env: { ...env, [SUCCESSOR_VARIABLE]: String(process.pid) },
      stdio: ['inherit', 'inherit', 'inherit', 'ipc', ...ours.map(({ fd }) => fd)],
    });
    log.info('hot restart: a new process is starting', { pid: child.pid });
    this.#child = child;
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    const late = clock.after(START_MAX_MS, () => {
      child.kill('SIGKILL');
      resolve(`it was not ready after ${START_MAX_MS / 1000} s`);
    });
    child.once('error', ({ message }) => resolve(message));
    child.once('exit', (code, signal) => resolve(`it ended with ${signal ?? `exit code ${code}`}`));
    child.on('message', (message) => {
      const { kind } = message as FromSuccessor;
      if (kind === 'ready') resolve(undefined);
      if (kind === 'log_needed') void this.#freeLog(child);
    });
    const sockets = ours.map((socket, place) => ({ ...socket, fd: FIRST_FD + place }));
    // A child that ended before says so by its end.
    send(child, { kind: 'inherit', sockets, gateway }).catch(() => {});
    const fault = await promise;
    late.cancel();
    this.#child = undefined;
    if (fault === undefined) {
      this.#successor = child;
      log.info('hot restart: the new process takes the traffic', { pid: child.pid });
      this.#done.resolve((subject, events) => send(child, { kind: 'facts', subject, events }));
    }
    return fault;
  }

  async #freeLog(child: ChildProcess): Promise<void> {
    this.#released ??= this.#options.releaseLog();
    await this.#released;
    await send(child, { kind: 'log_free' }).catch(() => {});
  }
}

async function send(child: ChildProcess, message: ToSuccessor): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  child.send(message, (error) => (error === null ? resolve() : reject(error)));
  await promise;
}
