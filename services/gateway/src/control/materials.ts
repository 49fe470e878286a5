import type { PolicySettings, PoolSettings } from '@usher/domain';
import type { Clock, Log, Timer } from '@usher/ports';
import type { TableDelta } from '../routing-table.ts';
import type { FromWorker } from '../worker/protocol.ts';
import type { SecretSettings } from './gateway-settings.ts';
import { TlsFiles } from './tls-files.ts';
import { TokenKeyFeed } from './token-key-feed.ts';
import { TokenSecrets } from './token-secrets.ts';

/** How often files for TLS to backends and secrets for tokens are looked at. */
const CHECK_MS = 2_000;

export interface MaterialsOptions extends Pick<SecretSettings, 'secretOf'> {
  readonly clock: Clock;
  readonly log: Log;
  /** What the workers go by. */
  readonly table: { readonly policy: PolicySettings; pools(): readonly PoolSettings[] };
  readonly onChange: (deltas: readonly TableDelta[]) => void;
}

/** What settings name but do not hold, and each gateway reads itself: files for TLS to backends, keys and secrets for tokens. */
export class Materials {
  readonly #options: MaterialsOptions;
  readonly #tls: TlsFiles;
  readonly #tokenKeys: TokenKeyFeed;
  readonly #tokenSecrets: TokenSecrets;
  #checking: Timer | undefined;

  constructor(options: MaterialsOptions) {
    this.#options = options;
    this.#tls = new TlsFiles(options.log);
    this.#tokenKeys = new TokenKeyFeed(options);
    this.#tokenSecrets = new TokenSecrets(options, options.log);
  }

  get fault(): string | undefined {
    return this.#tokenKeys.fault ?? this.#tokenSecrets.fault;
  }

  /** Resolves when all has been read, or cannot be. */
  async start(): Promise<void> {
    const { clock, table, onChange } = this.#options;
    this.#tls.read(table.pools());
    this.#tokenKeys.follow(table.policy);
    this.#tokenSecrets.follow(table.policy);
    this.#checking = clock.every(CHECK_MS, () =>
      onChange([...this.#tls.read(table.pools()), ...this.#tokenSecrets.follow(table.policy)]),
    );
    await this.#tokenKeys.settled();
  }

  stop(): void {
    this.#checking?.cancel();
    this.#tokenKeys.stop();
  }

  /** Everything, for a worker that knows nothing. */
  snapshot(): TableDelta[] {
    return [...this.#tls.snapshot(), ...this.#tokenKeys.snapshot(), ...this.#tokenSecrets.snapshot()];
  }

  /** What has to go to the workers together with these changes. */
  follow(deltas: readonly TableDelta[]): TableDelta[] {
    const { table } = this.#options;
    const tls = deltas.some(({ kind }) => kind === 'pool') ? this.#tls.read(table.pools()) : [];
    if (!deltas.some(({ kind }) => kind === 'policy')) return tls;
    return [...tls, ...this.#tokenKeys.follow(table.policy), ...this.#tokenSecrets.follow(table.policy)];
  }

  onMessage(message: FromWorker): void {
    if (message.kind === 'keys_wanted') void this.#tokenKeys.renew(message.place);
  }
}
