import type { BackendSettings } from '@usher/domain';
import {
  type BackendFiles,
  FaultyFileError,
  type ResolvedAddress,
  type Resolver,
  type ServiceRecord,
} from '@usher/ports';

/** Name servers that say what a test has them say. */
export class TestResolver implements Resolver {
  /** By name; all with a colon are IPv6. */
  readonly names = new Map<string, readonly string[]>();
  readonly records = new Map<string, readonly ServiceRecord[]>();
  /** Families, or `srv`, that nobody answers for. */
  readonly silent = new Set<4 | 6 | 'srv'>();
  ttlMs = 10_000;
  asked = 0;

  async addresses(name: string, family: 4 | 6): Promise<readonly ResolvedAddress[]> {
    this.asked += 1;
    const found = this.names.get(name);
    if (found === undefined || this.silent.has(family)) throw new Error(`no answer for ${name}`);
    const fits = found.filter((address) => address.includes(':') === (family === 6));
    return fits.map((address) => ({ address, ttlMs: this.ttlMs }));
  }

  async services(name: string): Promise<readonly ServiceRecord[]> {
    if (this.silent.has('srv')) throw new Error(`no answer for ${name}`);
    return this.records.get(name) ?? [];
  }
}

/** Files that hold what a test has them hold; a list of texts are the faults of one. */
export class TestFiles implements BackendFiles {
  readonly #contents = new Map<string, readonly Partial<BackendSettings>[] | readonly string[]>();
  readonly #watchers = new Map<string, () => void>();

  async read(file: string, pool: string): Promise<readonly BackendSettings[]> {
    const content = this.#contents.get(file) ?? ['there is no such file'];
    if (content.length > 0 && typeof content[0] === 'string') throw new FaultyFileError(content as string[]);
    return (content as BackendSettings[]).map((each) => ({ ...each, weight: each.weight ?? 1, pool }));
  }

  watch(file: string, onChange: () => void) {
    this.#watchers.set(file, onChange);
    return { stop: () => void this.#watchers.delete(file) };
  }

  /** Puts something else into a file. */
  write(file: string, content: readonly Partial<BackendSettings>[] | readonly string[]): void {
    this.#contents.set(file, content);
    this.#watchers.get(file)?.();
  }
}
