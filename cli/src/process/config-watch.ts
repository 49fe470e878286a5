import { dirname, resolve } from 'node:path';
import { explainConfig, type UsherConfig } from '@usher/config';
import type { Clock, Log } from '@usher/ports';
import { FileWatch } from '@usher/runtime';

const REFERENCE = 'file:';

/** Calls back when the file of a configuration, or one that holds a secret of it, may have changed. */
export class ConfigWatch {
  readonly #file: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #onChange: () => void;
  #files: readonly string[] = [];
  #watch: FileWatch | undefined;

  constructor(file: string, clock: Clock, log: Log, onChange: () => void) {
    this.#file = file;
    this.#clock = clock;
    this.#log = log;
    this.#onChange = onChange;
  }

  /** Watches the files that the configuration has been read from. */
  follow(config: UsherConfig): void {
    const folder = dirname(this.#file);
    const references = explainConfig(config).flatMap(({ value }) =>
      value.startsWith(REFERENCE) ? [resolve(folder, value.slice(REFERENCE.length))] : [],
    );
    const files = [...new Set([this.#file, ...references])];
    if (files.join('\0') === this.#files.join('\0')) return;
    this.#watch?.stop();
    this.#files = files;
    this.#watch = new FileWatch(files, this.#clock, this.#log, this.#onChange);
  }

  stop(): void {
    this.#watch?.stop();
  }
}
