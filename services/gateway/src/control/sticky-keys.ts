import { randomBytes } from 'node:crypto';
import type { PoolSettings } from '@usher/domain';
import type { Clock, Log, StateStore, Timer } from '@usher/ports';
import type { TableDelta } from '../routing-table.ts';
import type { SecretSettings } from './gateway-settings.ts';
import { keptKey } from './kept-key.ts';
import { SecretLookup } from './secret-lookup.ts';

/** Where the fleet's own key is in the store. */
const STORE_KEY = 'sticky/key';
/** It stays there for so long after the last gateway was seen. */
const STORE_TTL_MS = 90 * 86_400_000;
const KEY_BYTES = 32;
/** How often references are looked up again, and the store is asked for the key. */
const LOOK_MS = 2000;
/** How often the key in the store is given its time anew. */
const REFRESH_MS = 3_600_000;
/** So many keys are good beside the one that signs. */
const FORMER_MAX = 7;

export interface StickyKeysOptions extends SecretSettings {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly log: Log;
  /** The pools that there are now. */
  readonly pools: () => readonly PoolSettings[];
  readonly onChange: (deltas: readonly TableDelta[]) => void;
}

/**
 * The secrets that cookies are made with. They never are in the log: settings only say where each gateway finds them, and
 * the key that the fleet makes for itself, when they name none, is in the store.
 */
export class StickyKeys {
  readonly #options: StickyKeysOptions;
  #looking: Timer | undefined;
  /** The fleet's own, the present one first. */
  #own: readonly string[] = [];
  #refreshedMs = -Infinity;
  #told = new Map<string, string>();
  readonly #lookup: SecretLookup;

  constructor(options: StickyKeysOptions) {
    this.#options = options;
    const { secretOf, log } = options;
    this.#lookup = new SecretLookup({ secretOf, log, what: 'a key for cookies' });
  }

  async start(): Promise<void> {
    await this.follow();
    this.#looking = this.#options.clock.every(LOOK_MS, () => void this.follow());
  }

  stop(): void {
    this.#looking?.cancel();
  }

  /** Everything, for a worker that knows nothing. */
  snapshot(): TableDelta[] {
    return [...this.#told].map(([pool, secrets]) => delta(pool, JSON.parse(secrets) as string[]));
  }

  /** Takes up which pools there are, and what became of their keys. */
  async follow(): Promise<void> {
    const pools = this.#options.pools();
    const needsOwn = pools.some(({ sticky }) => sticky?.by === 'cookie' && sticky.keys.length === 0);
    if (needsOwn) await this.#share();
    const now = new Map<string, string>();
    for (const { id, sticky } of pools) {
      if (sticky?.by !== 'cookie') continue;
      const secrets =
        sticky.keys.length === 0 ? this.#own : sticky.keys.flatMap((each) => this.#lookup.find(each) ?? []);
      now.set(id, JSON.stringify(secrets));
    }
    const changed = [...now].filter(([pool, secrets]) => this.#told.get(pool) !== secrets);
    this.#told = now;
    this.#options.onChange(changed.map(([pool, secrets]) => delta(pool, JSON.parse(secrets) as string[])));
  }

  /** Has the same keys as all gateways. Until the store can be asked, each makes do with one that only it knows. */
  async #share(): Promise<void> {
    const { store, clock, keyFile, log } = this.#options;
    const offered = this.#own.length > 0 ? this.#own : [randomBytes(KEY_BYTES).toString('base64url')];
    try {
      if (keyFile !== undefined) {
        this.#own = [keptKey(keyFile, offered[0]!)];
        return;
      }
      const there = await store.setIfAbsent(STORE_KEY, offered.join(' '), STORE_TTL_MS);
      // What gateways have signed while they could not agree stays good.
      this.#own = [...new Set([...there.split(' '), ...this.#own])].slice(0, 1 + FORMER_MAX);
      const agreed = this.#own.join(' ');
      if (agreed === there && clock.steady() - this.#refreshedMs < REFRESH_MS) return;
      await store.set(STORE_KEY, agreed, STORE_TTL_MS);
      this.#refreshedMs = clock.steady();
    } catch (error) {
      if (this.#own.length > 0) return;
      const cause = (error as Error).message;
      log.warn('the key for cookies cannot be shared yet; this gateway uses one of its own', { cause });
      this.#own = offered;
    }
  }
}

function delta(pool: string, secrets: readonly string[]): TableDelta {
  return { kind: 'sticky_secrets', pool, secrets };
}
