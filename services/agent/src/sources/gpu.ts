import { type ChildProcess, spawn } from 'node:child_process';
import type { GpuStats } from '@usher/domain';
import type { Clock, Log } from '@usher/ports';
import { GPU_QUERY, GpuRounds, parseGpuRow } from './gpu-rows.ts';

/** One process that prints every second costs far less than a process each second, which opens the driver anew. */
const ARGUMENTS = [...GPU_QUERY, '--loop=1'];
/** Whether there is a driver by now is asked rarely. */
const RETRY_AFTER_MS = 30_000;
/** A driver that hangs takes its tool with it. */
const SILENCE_MS_MAX = 10_000;
/** Far longer than any line that is meant for us. */
const LINE_CHARS_MAX = 4_096;
const CAUSE_CHARS_MAX = 300;

/** NVIDIA GPUs, asked through `nvidia-smi`; where that is missing, fails or hangs there are none. */
export class GpuSource {
  readonly #command: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #found: (gpus: readonly GpuStats[]) => void;
  #running: ChildProcess | undefined;
  #closed = false;
  #heardAtMs = 0;
  #notBeforeMs = 0;
  #absent = false;

  /** Hands over what each round found; an empty list is that there are no GPUs. */
  constructor(
    command: string,
    ports: { readonly clock: Clock; readonly log: Log },
    found: (gpus: readonly GpuStats[]) => void,
  ) {
    this.#command = command;
    this.#clock = ports.clock;
    this.#log = ports.log;
    this.#found = found;
  }

  /** To be called every second: starts the tool when it is time to, and ends one that says nothing. */
  tick(): void {
    const nowMs = this.#clock.steady();
    if (this.#running !== undefined) {
      if (nowMs - this.#heardAtMs > SILENCE_MS_MAX) {
        this.#none(`${this.#command} said nothing for ${SILENCE_MS_MAX / 1_000} s`);
        abandon(this.#running);
      }
    } else if (nowMs >= this.#notBeforeMs && !this.#closed) {
      this.#start();
    }
  }

  close(): void {
    this.#closed = true;
    if (this.#running !== undefined) abandon(this.#running);
  }

  #start(): void {
    this.#heardAtMs = this.#clock.steady();
    const child = spawn(this.#command, ARGUMENTS, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#running = child;
    let said = '';
    const hear = (text: string): void => {
      said = (said + text).slice(-CAUSE_CHARS_MAX);
    };
    child.stdout.setEncoding('utf8').on('data', this.#linesOf(child, hear));
    child.stderr.setEncoding('utf8').on('data', hear);
    const ended = (cause: string): void => {
      if (this.#running !== child) return;
      // A tool that hangs in the driver may outlive its kill; until it is gone there is no other.
      this.#running = undefined;
      this.#none(cause);
    };
    child.once('error', (error) => ended(error.message));
    child.once('close', (code, signal) => {
      ended(said.trim() || `${this.#command} ended with ${code ?? signal}`);
    });
  }

  /** Takes pieces of what the tool prints; lines that are not about a GPU go to `hear`. */
  #linesOf(child: ChildProcess, hear: (text: string) => void): (text: string) => void {
    let line = '';
    const rounds = new GpuRounds((gpus) => {
      if (this.#running !== child || this.#closed) return;
      this.#heardAtMs = this.#clock.steady();
      this.#absent = false;
      this.#found(gpus);
    });
    return (text) => {
      const lines = (line + text).split('\n');
      line = (lines.pop() ?? '').slice(0, LINE_CHARS_MAX);
      for (const each of lines) {
        const row = parseGpuRow(each);
        if (row === undefined) hear(`${each}\n`);
        else rounds.add(row);
      }
    };
  }

  #none(cause: string): void {
    if (this.#closed) return;
    this.#heardAtMs = this.#clock.steady();
    this.#notBeforeMs = this.#clock.steady() + RETRY_AFTER_MS;
    if (!this.#absent) this.#log.info('agent: reporting no GPUs', { cause });
    this.#absent = true;
    this.#found([]);
  }
}

/** Kills a process and lets nothing wait for it: one that hangs in the kernel may take its time. */
function abandon(child: ChildProcess): void {
  child.kill('SIGKILL');
  child.stdout?.destroy();
  child.stderr?.destroy();
  child.unref();
}
