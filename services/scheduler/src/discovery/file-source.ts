import type { BackendFiles } from '@usher/ports';
import type { Found, Source } from './source.ts';

/** The backends that a file lists. */
export class FileSource implements Source {
  readonly what: string;
  readonly retryMaxMs = undefined;
  readonly #pool: string;
  readonly #file: string;
  readonly #files: BackendFiles;

  constructor(pool: string, file: string, files: BackendFiles) {
    this.what = file;
    this.#pool = pool;
    this.#file = file;
    this.#files = files;
  }

  async look(): Promise<Found> {
    return { backends: await this.#files.read(this.#file, this.#pool) };
  }

  watch(onChange: () => void): { stop(): void } {
    return this.#files.watch(this.#file, onChange);
  }
}
