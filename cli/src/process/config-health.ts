import type { Clock, Metrics, Service } from '@usher/ports';

type Part = Pick<Service, 'name' | 'fault'>;

/** Whether the configuration as it is now could be taken up, or the process goes by an older one. */
export class ConfigHealth {
  /** For whoever may look at the process. */
  readonly status: Part = { name: 'config', fault: () => this.#sentence((cause) => `: ${cause}`) };
  /** For everybody, who shall read nothing of the file. */
  readonly health: Part = {
    name: 'config',
    fault: () => this.#sentence(() => '; the log and usher status say why'),
  };
  readonly #clock: Clock;
  #refused: { readonly sinceMs: number; readonly cause: string } | undefined;

  constructor({ clock, metrics }: { readonly clock: Clock; readonly metrics: Metrics }) {
    this.#clock = clock;
    metrics.gauge('usher_config_valid', 'Whether the configuration as it is now could be taken up', () => [
      { labels: {}, value: Number(this.#refused === undefined) },
    ]);
  }

  /** The process stays with the one before. `cause` is the first fault. */
  refuse(cause: string): void {
    this.#refused = { sinceMs: this.#refused?.sinceMs ?? this.#clock.now(), cause };
  }

  accept(): void {
    this.#refused = undefined;
  }

  #sentence(ending: (cause: string) => string): string | undefined {
    if (this.#refused === undefined) return undefined;
    const { sinceMs, cause } = this.#refused;
    const since = new Date(sinceMs).toISOString();
    return `what the configuration says has been refused since ${since}; the one before is in use, but not after a restart${ending(cause)}`;
  }
}
