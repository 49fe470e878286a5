import { isDeepStrictEqual } from 'node:util';
import { ConfigError, explainConfig, formatFault, type LocalSettings, type UsherConfig } from '@usher/config';
import type { Log } from '@usher/ports';
import type { ConfigHealth } from './config-health.ts';
import { liveSettings, restartKeys } from './restart-keys.ts';

export interface ConfigFollowerOptions {
  /** What the process was started with. */
  readonly config: UsherConfig;
  readonly log: Log;
  readonly health: Pick<ConfigHealth, 'refuse' | 'accept'>;
  /** Reads the configuration as it is now. Throws ConfigError with all faults. */
  readonly read: () => Promise<UsherConfig>;
  /** Makes the process go by what can change while it runs. Rejects when it cannot, with everything as it was. */
  readonly apply: (config: UsherConfig) => Promise<void>;
}

/** Keeps a running process in step with its configuration, as far as that can be done without a restart. */
export class ConfigFollower {
  readonly #options: ConfigFollowerOptions;
  /** What has been said last, so that it is not said again at every look. */
  #complaint: string | undefined;
  #warned = '';
  #applied: UsherConfig;
  #looking: Promise<void> | undefined;
  #again = false;

  constructor(options: ConfigFollowerOptions) {
    this.#options = options;
    this.#applied = options.config;
  }

  /** The configuration may have changed. Resolves when the process goes by it, or it is known why not. */
  look(): Promise<void> {
    this.#again = true;
    this.#looking ??= this.#lookOn().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  /** What changes during a look needs another one. */
  async #lookOn(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      await this.#lookOnce();
    }
  }

  async #lookOnce(): Promise<void> {
    const { read, apply, log } = this.#options;
    let config: UsherConfig;
    try {
      config = await read();
    } catch (error) {
      this.#refuse('the configuration is faulty, the old one stays', error);
      return;
    }
    if (looksCutOff(config, this.#applied)) {
      this.#refuse('the configuration is faulty, the old one stays', new Error(CUT_OFF));
      return;
    }
    this.#warn(config.local);
    const { shared, local } = this.#applied;
    if (
      isDeepStrictEqual(config.shared, shared) &&
      isDeepStrictEqual(liveSettings(config.local), liveSettings(local))
    ) {
      if (this.#complaint !== undefined) log.info('the configuration is the old one again');
      this.#accept();
      return;
    }
    try {
      await apply(config);
    } catch (error) {
      this.#refuse('the configuration cannot be used, the old one stays', error);
      return;
    }
    this.#accept();
    this.#applied = config;
    log.info('the new configuration is in use');
  }

  #accept(): void {
    this.#complaint = undefined;
    this.#options.health.accept();
  }

  #refuse(message: string, error: unknown): void {
    const causes =
      error instanceof ConfigError
        ? error.faults.map(formatFault)
        : [error instanceof Error ? error.message : String(error)];
    this.#options.health.refuse(causes[0] ?? message);
    const complaint = causes.join('\n');
    if (complaint === this.#complaint) return;
    this.#complaint = complaint;
    for (const cause of causes) this.#options.log.error(message, { cause });
  }

  /** Of what only counts from the next start on. */
  #warn(local: LocalSettings): void {
    const keys = restartKeys(this.#options.config.local, local).join(', ');
    if (keys === this.#warned) return;
    this.#warned = keys;
    if (keys !== '') this.#options.log.warn('settings that need a restart have changed', { keys });
  }
}

const CUT_OFF =
  'it says nothing of routes, and the one in use has some: it looks partly written; where none are meant, say "routes: []"';

/**
 * Whoever writes a file in place may have only begun, and its beginning is a configuration too. Without pools that routes name
 * it is none, so that only the routes can be missing.
 */
function looksCutOff(config: UsherConfig, { shared: applied }: UsherConfig): boolean {
  if (config.shared.routes.length > 0 || applied.routes.length === 0) return false;
  return !explainConfig(config).some(({ path, origin }) => path === 'routes' && origin !== 'default');
}
