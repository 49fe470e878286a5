import { statfs } from 'node:fs';
import type { Log } from '@usher/ports';
import type { Usage } from './memory.ts';

/**
 * The file system that a path is on, as far as programs without privileges can use it. Asked off the main thread,
 * because a network file system may never answer, and never twice at once.
 */
export class DiskSource {
  readonly #path: string;
  readonly #log: Log;
  #usage: Usage = { usedBytes: 0, totalBytes: 0 };
  #asking = false;
  #failed = false;

  constructor(path: string, log: Log) {
    this.#path = path;
    this.#log = log;
  }

  /** The newest answer; zeros before the first and while the path cannot be read. */
  read(): Usage {
    return this.#usage;
  }

  ask(): void {
    if (this.#asking) return;
    this.#asking = true;
    statfs(this.#path, (error, stats) => {
      this.#asking = false;
      if (error !== null) {
        this.#usage = { usedBytes: 0, totalBytes: 0 };
        if (!this.#failed) this.#log.warn('agent: the disk cannot be read', { cause: error.message });
      } else {
        const usedBytes = (stats.blocks - stats.bfree) * stats.bsize;
        this.#usage = { usedBytes, totalBytes: usedBytes + stats.bavail * stats.bsize };
      }
      this.#failed = error !== null;
    });
  }
}
