import { type FSWatcher, statSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { Clock, Log, Timer } from '@usher/ports';
import { decidingFolders } from './deciding-folders.ts';

/** Files that belong together are written one after the other; they are read when none has changed for so long. */
const SETTLED_MS = 200;
/** What lies beside the files may belong to them, such as a key, or be a log that is written all the time. */
const BESIDE_MS = 1000;
/**
 * For file systems that report no changes, and for folders on the way that were replaced as a whole: what is found, and still,
 * is read within half a minute.
 */
const POLL_MS = 30_000 - SETTLED_MS;

interface Watched {
  /** Undefined where the folder cannot be watched. */
  readonly watcher: FSWatcher | undefined;
  /** Of the folder that is watched; another one may be in its place by now, of which the watcher hears nothing. */
  readonly identity: string;
}

/**
 * Calls back when one of the files may have changed, and all of them are still. It watches the folders that decide which files
 * they are, because editors, certbot and Kubernetes put a new file or link in the place of the old one, of which whoever
 * watches the old one hears nothing. What else happens in those folders calls back too, but delays nothing: whether the files
 * are still is told by what they are, not by what is heard.
 */
export class FileWatch {
  readonly #files: readonly string[];
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #onChange: () => void;
  readonly #folders = new Map<string, Watched>();
  readonly #poll: Timer;
  #settling: Timer | undefined;
  /** What the files were when they were last looked at, and at the last call. */
  #seen: string;
  #told: string;
  #toldMs = Number.NEGATIVE_INFINITY;
  /** How many polls there were since the last call. */
  #restlessPolls = 0;

  constructor(files: readonly string[], clock: Clock, log: Log, onChange: () => void) {
    this.#files = files;
    this.#clock = clock;
    this.#log = log;
    this.#onChange = onChange;
    this.#poll = clock.every(POLL_MS, () => this.#pollNow());
    this.#followFolders();
    this.#seen = identitiesOf(files);
    this.#told = this.#seen;
  }

  stop(): void {
    this.#poll.cancel();
    this.#settling?.cancel();
    for (const { watcher } of this.#folders.values()) watcher?.close();
  }

  #pollNow(): void {
    if (this.#restlessPolls === 1)
      this.#log.warn('files change all the time, so they are not read', { files: this.#files });
    this.#touched();
    this.#restlessPolls += 1;
  }

  /** Something may have changed. */
  #touched(): void {
    if (this.#settling !== undefined) return;
    this.#look();
    this.#wait();
  }

  #wait(): void {
    this.#settling = this.#clock.after(SETTLED_MS, () => this.#settle());
  }

  #settle(): void {
    const before = this.#seen;
    this.#look();
    const pauseMs = this.#seen === this.#told ? BESIDE_MS : 0;
    if (this.#seen !== before || this.#clock.steady() - this.#toldMs < pauseMs) {
      this.#wait();
      return;
    }
    this.#settling = undefined;
    this.#restlessPolls = 0;
    this.#told = this.#seen;
    this.#toldMs = this.#clock.steady();
    this.#onChange();
  }

  #look(): void {
    // First, so that what changes after the look is heard.
    this.#followFolders();
    this.#seen = identitiesOf(this.#files);
  }

  /** Links may lead elsewhere by now, and other folders be in the place of those that are watched. */
  #followFolders(): void {
    let added: readonly string[];
    // Again, because of what happened in a folder before it was watched.
    do {
      const deciding = this.#files.flatMap((file) => [...decidingFolders(file)]);
      const folders = new Set(deciding.map(nearestFolder));
      for (const [folder, { identity }] of this.#folders)
        if (!folders.has(folder) || identity !== folderIdentity(folder)) this.#forget(folder);
      added = [...folders].filter((folder) => !this.#folders.has(folder));
      for (const folder of added) this.#watch(folder);
    } while (added.length > 0);
  }

  #watch(folder: string): void {
    const identity = folderIdentity(folder);
    let watcher: FSWatcher | undefined;
    try {
      watcher = watch(folder, { persistent: false }, (_event, name) => {
        // So a folder tells of itself, too: it was moved or removed, and the next one in its place may have its number.
        if (name === basename(folder)) this.#forget(folder);
        this.#touched();
      });
      watcher.on('error', () => watcher?.close());
    } catch (error) {
      this.#log.info('files are looked at every half minute only', { folder, cause: String(error) });
    }
    this.#folders.set(folder, { watcher, identity });
  }

  #forget(folder: string): void {
    this.#folders.get(folder)?.watcher?.close();
    this.#folders.delete(folder);
  }
}

/** The folder itself, or the one in which it has to be made, or what leads to it. */
function nearestFolder(folder: string): string {
  const parent = dirname(folder);
  return parent === folder || folderIdentity(folder) !== '' ? folder : nearestFolder(parent);
}

/** Empty where there is none. */
function folderIdentity(folder: string): string {
  try {
    const { dev, ino } = statSync(folder, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    return '';
  }
}

/** What was written, replaced, moved or made readable has another. */
function identitiesOf(files: readonly string[]): string {
  return files.map(fileIdentity).join();
}

function fileIdentity(file: string): string {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(file, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(':');
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}
