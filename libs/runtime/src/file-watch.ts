import { type FSWatcher, watch } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock, Log, Timer } from '@usher/ports';

/** Files that belong together are written one after the other; they are read when nothing has changed for so long. */
const SETTLED_MS = 200;
/** For file systems that report no changes, and for folders that were replaced as a whole. */
const POLL_MS = 30_000;

/**
 * Calls back when one of the files may have changed. It watches the folders they are in, because editors, certbot and
 * Kubernetes put a new file or link in the place of the old one, of which whoever watches the old one hears nothing.
 */
export class FileWatch {
  readonly #clock: Clock;
  readonly #onChange: () => void;
  readonly #watchers: FSWatcher[] = [];
  readonly #poll: Timer;
  #settling: Timer | undefined;

  constructor(files: readonly string[], clock: Clock, log: Log, onChange: () => void) {
    this.#clock = clock;
    this.#onChange = onChange;
    this.#poll = clock.every(POLL_MS, onChange);
    for (const folder of new Set(files.map((file) => dirname(file)))) {
      try {
        const watcher = watch(folder, { persistent: false }, () => this.#touched());
        watcher.on('error', () => watcher.close());
        this.#watchers.push(watcher);
      } catch (error) {
        log.info('files are looked at every half minute only', { folder, cause: String(error) });
      }
    }
  }

  stop(): void {
    this.#poll.cancel();
    this.#settling?.cancel();
    for (const watcher of this.#watchers) watcher.close();
  }

  #touched(): void {
    this.#settling?.cancel();
    this.#settling = this.#clock.after(SETTLED_MS, this.#onChange);
  }
}
