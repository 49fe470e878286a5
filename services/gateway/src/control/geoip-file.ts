import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { openPlaceDatabase, readShared } from '@usher/geoip';
import type { Clock, Log, Metrics } from '@usher/ports';
import { FileWatch } from '@usher/runtime';
import { exposeGeoip } from './geoip-metrics.ts';

export interface GeoipFileOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** The workers have to know. */
  readonly onChange: (content: SharedArrayBuffer) => void;
}

/**
 * The file that says where addresses are, once in memory for all workers, and read again when it is another one. What
 * cannot be used leaves in force what was read before; where nothing was, nobody knows where clients are.
 */
export class GeoipFile {
  readonly #path: string;
  readonly #options: GeoipFileOptions;
  readonly #watch: FileWatch;
  #content: SharedArrayBuffer | undefined;
  #builtMs: number | undefined;
  /** What the file was like at the last look. */
  #seen = '';
  /** Why it is not in use as it is now. */
  #fault: string | undefined;
  #looking: Promise<void> = Promise.resolve();

  private constructor(path: string, options: GeoipFileOptions) {
    this.#path = path;
    this.#options = options;
    this.#watch = new FileWatch([path], options.clock, options.log, () => void this.look());
    exposeGeoip(options.metrics, this);
  }

  /** Undefined where no file is named. It is read by the first `look`. */
  static of(path: string | undefined, options: GeoipFileOptions): GeoipFile | undefined {
    return path === undefined ? undefined : new GeoipFile(path, options);
  }

  get content(): SharedArrayBuffer | undefined {
    return this.#content;
  }

  /** The file is in use as it is now. */
  get usable(): boolean {
    return this.#content !== undefined && this.#fault === undefined;
  }

  /** When the database in use was made. */
  get builtMs(): number | undefined {
    return this.#builtMs;
  }

  /** Resolves when the file as it is now is in use, or it is known why not. */
  look(): Promise<void> {
    this.#looking = this.#looking.then(() => this.#look());
    return this.#looking;
  }

  stop(): void {
    this.#watch.stop();
  }

  async #look(): Promise<void> {
    const path = this.#path;
    const { log, onChange } = this.#options;
    try {
      const found = identityOf(await stat(path));
      if (found === this.#seen) return;
      this.#seen = found;
      const content = await readShared(path);
      this.#builtMs = openPlaceDatabase(content).builtMs;
      this.#content = content;
      this.#fault = undefined;
      log.info('the GeoIP database is in use', { file: path, built: new Date(this.#builtMs).toISOString() });
      onChange(content);
    } catch (error) {
      this.#refuse((error as Error).message);
    }
  }

  #refuse(fault: string): void {
    const { log } = this.#options;
    if (fault === this.#fault) return;
    this.#fault = fault;
    const state =
      this.#content === undefined ? 'where clients are does not count' : 'the one read before stays in use';
    log.warn(`the GeoIP database cannot be used; ${state}`, { file: this.#path, cause: fault });
  }
}

/** A file that was replaced, or written anew, has another. */
function identityOf({ dev, ino, size, mtimeMs }: Stats): string {
  return [dev, ino, size, mtimeMs].join();
}
