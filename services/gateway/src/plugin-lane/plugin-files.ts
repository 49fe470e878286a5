import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import type { Log } from '@usher/ports';
import { FileWatch, systemClock } from '@usher/runtime';
import type { FastifyPluginAsync, FastifyPluginCallback } from 'fastify';

export type Plugin = FastifyPluginAsync | FastifyPluginCallback;

/** As long as Fastify gives a plugin to set itself up. */
const IMPORT_MAX_MS = 10_000;

interface Loaded {
  readonly plugin: Plugin;
  /** Of what was in the file then. */
  readonly digest: string;
}

/**
 * The users' plugins: the module of each file as it was when it could last be loaded, and a watch over the files. Node keeps a
 * module by its URL, so each content of a file has a URL of its own; modules that it imports itself stay as they were.
 */
export class PluginFiles {
  readonly #log: Log;
  readonly #onChange: (files: ReadonlySet<string>) => Promise<void>;
  readonly #loaded = new Map<string, Loaded>();
  /** What of each could not be loaded, so that it is said once. */
  readonly #refused = new Map<string, string>();
  #watch: FileWatch | undefined;
  #watched: readonly string[] = [];
  #looking: Promise<void> = Promise.resolve();

  /** `onChange` is called with the files whose modules are others now. */
  constructor(log: Log, onChange: (files: ReadonlySet<string>) => Promise<void>) {
    this.#log = log;
    this.#onChange = onChange;
  }

  /** The plugin in a file; rejects when it has never been one that could be loaded. */
  async load(file: string): Promise<Plugin> {
    const known = this.#loaded.get(file);
    if (known !== undefined) return known.plugin;
    const loaded = await read(file);
    this.#loaded.set(file, loaded);
    return loaded.plugin;
  }

  /** Watches just these, and forgets all others. */
  watch(files: readonly string[]): void {
    const wanted = [...new Set(files)].toSorted();
    if (wanted.join('\0') === this.#watched.join('\0')) return;
    this.#watched = wanted;
    for (const file of this.#loaded.keys()) if (!wanted.includes(file)) this.#loaded.delete(file);
    this.#watch?.stop();
    this.#watch =
      wanted.length === 0
        ? undefined
        : new FileWatch(wanted, systemClock(), this.#log, () => {
            this.#looking = this.#looking.then(() => this.#look());
          });
  }

  stop(): void {
    this.#watch?.stop();
  }

  async #look(): Promise<void> {
    const changed = new Set<string>();
    for (const file of this.#watched) if (await this.#isOther(file)) changed.add(file);
    if (changed.size > 0) await this.#onChange(changed);
  }

  async #isOther(file: string): Promise<boolean> {
    const before = this.#loaded.get(file)?.digest;
    let digest = '';
    try {
      digest = digestOf(await readFile(file));
      if (digest === before || digest === this.#refused.get(file)) return false;
      this.#loaded.set(file, await read(file));
      this.#refused.delete(file);
      return true;
    } catch (error) {
      if (this.#refused.get(file) !== digest) {
        const cause = String(error);
        this.#log.error('a changed plugin cannot be loaded, the one before stays', { file, cause });
      }
      this.#refused.set(file, digest);
      return false;
    }
  }
}

async function read(file: string): Promise<Loaded> {
  const digest = digestOf(await readFile(file));
  const url = pathToFileURL(file);
  url.search = digest;
  const { default: plugin } = await inTime(import(url.href), file);
  if (typeof plugin !== 'function') throw new Error(`${file} has no default export that is a Fastify plugin`);
  return { plugin: plugin as Plugin, digest };
}

async function inTime(module: Promise<{ default?: unknown }>, file: string): Promise<{ default?: unknown }> {
  const { promise, reject } = Promise.withResolvers<never>();
  const late = setTimeout(
    () => reject(new Error(`${file} is not loaded after ${IMPORT_MAX_MS} ms`)),
    IMPORT_MAX_MS,
  );
  return await Promise.race([module, promise]).finally(() => clearTimeout(late));
}

function digestOf(content: Buffer): string {
  return hash('sha256', content, 'hex').slice(0, 16);
}
