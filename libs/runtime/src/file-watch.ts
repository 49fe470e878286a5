import { type FSWatcher, watch } from 'node:fs';
import type { Clock, Log, Timer } from '@usher/ports';
import { decidingFolders } from './deciding-folders.ts';

/** Files that belong together are written one after the other; they are read when nothing has changed for so long. */
const SETTLED_MS = 200;
/** For file systems that report no changes, and for folders that were replaced as a whole. */
const POLL_MS = 30_000;

/**
 * Calls back when one of the files may have changed. It watches the folders that decide which files they are, because
 * editors, certbot and Kubernetes put a new file or link in the place of the old one, of which whoever watches the old one
 * hears nothing.
 */
export class FileWatch {
  readonly #files: readonly string[];
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #onChange: () => void;
  /** By folder; undefined where that cannot be watched. */
  readonly #watchers = new Map<string, FSWatcher | undefined>();
  readonly #poll: Timer;
  #settling: Timer | undefined;

  constructor(files: readonly string[], clock: Clock, log: Log, onChange: () => void) {
    this.#files = files;
    this.#clock = clock;
    this.#log = log;
    this.#onChange = onChange;
    this.#poll = clock.every(POLL_MS, () => this.#look());
    this.#watchFolders();
  }

  stop(): void {
    this.#poll.cancel();
    this.#settling?.cancel();
    for (const watcher of this.#watchers.values()) watcher?.close();
  }

  #touched(): void {
    this.#settling?.cancel();
    this.#settling = this.#clock.after(SETTLED_MS, () => this.#look());
  }

  #look(): void {
    this.#watchFolders();
    this.#onChange();
  }

  /** Links may lead elsewhere by now. */
  #watchFolders(): void {
    const folders = new Set(this.#files.flatMap((file) => [...decidingFolders(file)]));
    for (const [folder, watcher] of this.#watchers) {
      if (folders.has(folder)) continue;
      watcher?.close();
      this.#watchers.delete(folder);
    }
    for (const folder of folders) if (!this.#watchers.has(folder)) this.#watch(folder);
  }

  #watch(folder: string): void {
    let watcher: FSWatcher | undefined;
    try {
      watcher = watch(folder, { persistent: false }, () => this.#touched());
      watcher.on('error', () => watcher?.close());
    } catch (error) {
      this.#log.info('files are looked at every half minute only', { folder, cause: String(error) });
    }
    this.#watchers.set(folder, watcher);
  }
}
