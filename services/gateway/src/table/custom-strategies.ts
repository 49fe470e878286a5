import { pathToFileURL } from 'node:url';
import type { CustomStrategy } from '@usher/domain';
import type { Log } from '@usher/ports';

export type StrategyLog = Pick<Log, 'error'>;

/** Strategies of the users' own, each loaded once from its file. */
export class CustomStrategies {
  readonly #log: StrategyLog;
  readonly #onLoaded: (file: string) => void;
  /** Undefined while it is being loaded, and when it cannot be. */
  readonly #known = new Map<string, CustomStrategy | undefined>();
  readonly #loading = new Set<Promise<void>>();

  constructor(log: StrategyLog, onLoaded: (file: string) => void) {
    this.#log = log;
    this.#onLoaded = onLoaded;
  }

  /** The strategy in a file; undefined until `onLoaded` was called with the file. */
  get(file: string): CustomStrategy | undefined {
    if (!this.#known.has(file)) {
      this.#known.set(file, undefined);
      const loading = this.#load(file).finally(() => this.#loading.delete(loading));
      this.#loading.add(loading);
    }
    return this.#known.get(file);
  }

  async settled(): Promise<void> {
    await Promise.all(this.#loading);
  }

  async #load(file: string): Promise<void> {
    try {
      const { default: choose }: { default?: unknown } = await import(pathToFileURL(file).href);
      if (typeof choose !== 'function') throw new Error('it has no default export that is a function');
      this.#known.set(file, choose as CustomStrategy);
    } catch (error) {
      this.#log.error('a strategy cannot be loaded, p2c stands in', { file, cause: String(error) });
      return;
    }
    this.#onLoaded(file);
  }
}
