import type { Log } from '@usher/ports';
import type { SecretSettings } from './gateway-settings.ts';

export interface SecretLookupOptions extends Pick<SecretSettings, 'secretOf'> {
  readonly log: Log;
  /** What the secrets are for: `a key for cookies`. */
  readonly what: string;
  /** What is wrong with a secret that was found, without a word of it. Absent = nothing ever is. */
  readonly faultOf?: (secret: string) => string | undefined;
}

/** Looks up what references stand for, and tells once why one stands for nothing. */
export class SecretLookup {
  readonly #options: SecretLookupOptions;
  /** What was wrong with each reference at the last look. */
  readonly #faults = new Map<string, string>();

  constructor(options: SecretLookupOptions) {
    this.#options = options;
  }

  /** Why one of them cannot be used. */
  get fault(): string | undefined {
    for (const [reference, fault] of this.#faults)
      return `${this.#options.what} at ${reference} cannot be used: ${fault}`;
    return undefined;
  }

  find(reference: string): string | undefined {
    const { secretOf, faultOf } = this.#options;
    try {
      const secret = secretOf(reference);
      const fault = faultOf?.(secret);
      if (fault !== undefined) throw new Error(fault);
      this.#faults.delete(reference);
      return secret;
    } catch (error) {
      this.#tell(reference, (error as Error).message);
      return undefined;
    }
  }

  /** Nobody refers to it any more. */
  forget(reference: string): void {
    this.#faults.delete(reference);
  }

  #tell(reference: string, cause: string): void {
    const { log, what } = this.#options;
    if (this.#faults.get(reference) !== cause) log.error(`${what} cannot be used`, { reference, cause });
    this.#faults.set(reference, cause);
  }
}
