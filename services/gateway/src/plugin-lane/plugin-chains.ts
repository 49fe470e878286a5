import type { PluginSettings } from '@usher/domain';
import type { RouteEntry } from '../routing-table.ts';
import type { ChainApp } from './chain-app.ts';
import { chainPolicyOf } from './chain-policy.ts';
import type { Arrival } from './exchange.ts';
import { PluginFiles } from './plugin-files.ts';
import type { PluginLaneOptions } from './plugin-lane.ts';

/** An app with the number of requests that it is serving. */
interface Chain {
  readonly plugins: readonly PluginSettings[];
  readonly app: Promise<ChainApp>;
  active: number;
  retired: boolean;
}

/**
 * The apps behind the lane's server, one for each distinct chain of plugins. So a plugin that cannot be loaded fails the
 * routes that ask for it and no others, and a change of policy builds only the chains that it changed. An app that is not
 * needed any more ends when its last request has. When the file of a plugin changes, the chains with it are built anew; as long
 * as that cannot be done they stay as they are.
 */
export class PluginChains {
  readonly #options: PluginLaneOptions;
  #chains = new Map<string, Chain>();
  #byRoute = new WeakMap<RouteEntry, Chain>();
  readonly #files: PluginFiles;

  constructor(options: PluginLaneOptions) {
    this.#options = options;
    this.#files = new PluginFiles(options.log, (files) => this.#renew(files));
  }

  /** Builds what the table's policy needs and lets go of what it does not. */
  update(): void {
    const before = this.#chains;
    this.#chains = new Map();
    for (const entry of this.#options.table.routes) {
      const key = this.#keyOf(entry);
      const chain = before.get(key);
      if (chain !== undefined) this.#chains.set(key, chain);
      else if (entry.lane === 'plugin') this.#chainOf(entry);
    }
    const needed = new Set(this.#chains.values());
    this.#files.watch([...needed].flatMap(({ plugins }) => filesOf(plugins)));
    for (const chain of before.values()) {
      if (needed.has(chain)) continue;
      this.#retire(chain);
    }
  }

  /**
   * The app for a request, counted as one that it serves until `done` is called. Rejects when its plugins cannot be
   * loaded: a request is not served without a plugin that its route asks for, for that might be the one that checks who may.
   */
  async use({ entry }: Arrival): Promise<{ readonly app: ChainApp; readonly done: () => void }> {
    const chain = this.#chainOf(entry);
    chain.active += 1;
    const done = (): void => {
      chain.active -= 1;
      this.#closeIfDone(chain);
    };
    try {
      return { app: await chain.app, done };
    } catch (error) {
      done();
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#files.stop();
    const chains = [...this.#chains.values()];
    this.#chains.clear();
    await Promise.allSettled(chains.map(async ({ app }) => (await app).close()));
  }

  #chainOf(entry: RouteEntry): Chain {
    const known = this.#byRoute.get(entry);
    if (known !== undefined) return known;
    const key = this.#keyOf(entry);
    const chain = this.#chains.get(key) ?? this.#newChain(entry.settings.plugins);
    this.#chains.set(key, chain);
    this.#byRoute.set(entry, chain);
    return chain;
  }

  #newChain(plugins: readonly PluginSettings[]): Chain {
    const chain: Chain = { plugins, app: this.#build(plugins), active: 0, retired: false };
    chain.app.catch((error: unknown) => {
      const fields = { plugins: namesOf(plugins), cause: String(error) };
      this.#options.log.error('routes with these plugins cannot be served', fields);
    });
    return chain;
  }

  /** Puts chains with the modules of today in the place of those that have one of these files. */
  async #renew(files: ReadonlySet<string>): Promise<void> {
    const { log } = this.#options;
    for (const [key, chain] of this.#chains) {
      if (!filesOf(chain.plugins).some((file) => files.has(file))) continue;
      const plugins = namesOf(chain.plugins);
      const app = this.#build(chain.plugins);
      try {
        await app;
      } catch (error) {
        log.error('changed plugins cannot be used, the ones before stay', { plugins, cause: String(error) });
        continue;
      }
      const fresh: Chain = { plugins: chain.plugins, app, active: 0, retired: false };
      // Meanwhile the policy may have let go of it.
      if (this.#chains.get(key) !== chain) {
        this.#retire(fresh);
        continue;
      }
      this.#chains.set(key, fresh);
      this.#byRoute = new WeakMap();
      this.#retire(chain);
      log.info('changed plugins are in use', { plugins });
    }
  }

  #retire(chain: Chain): void {
    chain.retired = true;
    this.#closeIfDone(chain);
  }

  async #build(plugins: readonly PluginSettings[]): Promise<ChainApp> {
    const policy = chainPolicyOf(this.#options.table.policy);
    // Fastify and what belongs to it is loaded when the first chain needs it: a worker of plain routes never does.
    const { buildChainApp } = await import('./chain-app.ts');
    return buildChainApp(plugins, policy, this.#options, this.#files);
  }

  #closeIfDone(chain: Chain): void {
    if (!chain.retired || chain.active > 0) return;
    chain.app.then((app) => app.close()).catch(() => {});
  }

  /** Equal keys, equal apps. */
  #keyOf({ settings }: RouteEntry): string {
    return JSON.stringify([settings.plugins, chainPolicyOf(this.#options.table.policy)]);
  }
}

function filesOf(plugins: readonly PluginSettings[]): string[] {
  return plugins.flatMap(({ file }) => file ?? []);
}

function namesOf(plugins: readonly PluginSettings[]): string {
  return plugins.map(({ name }) => name).join(', ');
}
