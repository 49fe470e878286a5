import { tokenSecretFault } from '@usher/config';
import type { PolicySettings } from '@usher/domain';
import type { Log } from '@usher/ports';
import type { TableDelta } from '../routing-table.ts';
import { tokenSettingsOf } from '../traffic/token-settings.ts';
import type { SecretSettings } from './gateway-settings.ts';
import { SecretLookup } from './secret-lookup.ts';

/**
 * The secrets that tokens are checked with. Settings only say where each gateway finds them. One that can be found no more,
 * because its file is being written for instance, stays as it was.
 */
export class TokenSecrets {
  readonly #lookup: SecretLookup;
  /** What the workers were told; undefined: nothing could be found yet. */
  readonly #told = new Map<string, string | undefined>();

  constructor({ secretOf }: Pick<SecretSettings, 'secretOf'>, log: Log) {
    this.#lookup = new SecretLookup({
      secretOf,
      log,
      what: 'a secret for tokens',
      faultOf: tokenSecretFault,
    });
  }

  get fault(): string | undefined {
    return this.#lookup.fault;
  }

  /** Everything, for a worker that knows nothing. */
  snapshot(): TableDelta[] {
    return Array.from(this.#told, ([reference, secret]) => deltaOf(reference, secret));
  }

  /** Takes up which references there are, and what became of their secrets. */
  follow(policy: Pick<PolicySettings, 'traffic' | 'routes'>): TableDelta[] {
    const references = new Set(
      tokenSettingsOf(policy).flatMap(({ keys }) =>
        keys.flatMap((key) => (key.algorithm === 'HS256' ? [key.reference] : [])),
      ),
    );
    const gone = [...this.#told.keys()].filter((reference) => !references.has(reference));
    for (const reference of gone) {
      this.#told.delete(reference);
      this.#lookup.forget(reference);
    }
    const changed = [...references].filter((reference) => {
      const before = this.#told.get(reference);
      const now = this.#lookup.find(reference) ?? before;
      this.#told.set(reference, now);
      return now !== before;
    });
    return [...gone, ...changed].map((reference) => deltaOf(reference, this.#told.get(reference)));
  }
}

function deltaOf(reference: string, secret: string | undefined): TableDelta {
  return { kind: 'token_keys', reference, secret };
}
