import type { BackendActors } from '@usher/actors';
import { canonicalJson, type DiscoverySettings } from '@usher/domain';
import type { EventDraft } from '@usher/events';
import type { BackendFiles, LogRecord, Resolver, ServiceContext } from '@usher/ports';
import { leadsHome, type OwnAddress } from '../own-addresses.ts';
import { leadsAstray } from '../targets.ts';
import { decideDiscovered } from './decide-discovered.ts';
import { FileSource } from './file-source.ts';
import { AddressSource, ServiceSource } from './name-sources.ts';
import type { Discovered, Source } from './source.ts';
import { SourceFollower } from './source-follower.ts';

/** What backends are found with. */
export interface DiscoveryTools {
  readonly resolver: Resolver;
  readonly files: BackendFiles;
}

export interface DiscoveryOptions extends DiscoveryTools {
  readonly context: ServiceContext;
  readonly actors: BackendActors;
  /** Where no name server may put a backend. */
  readonly own: readonly OwnAddress[];
  /** Writes what has been found, for this reason. */
  readonly write: (reason: string, decide: () => EventDraft[]) => void;
}

interface Followed {
  /** What was asked for, in its canonical form. */
  readonly settings: string;
  readonly follower: SourceFollower;
}

/**
 * Finds backends for the pools that want it. Only the leader does: what it finds becomes events, so that all processes
 * have the same backends and the log says why.
 */
export class Discovery {
  readonly #options: DiscoveryOptions;
  readonly #pools = new Map<string, Followed>();
  #running = false;

  constructor(options: DiscoveryOptions) {
    this.#options = options;
    const { metrics } = options.context;
    metrics.gauge('usher_discovered_backends', 'Backends in the last answer, by pool', () =>
      this.#samples(({ found }) => found),
    );
    metrics.gauge('usher_discovery_failing', 'Whether the last look for backends failed, by pool', () =>
      this.#samples(({ fault }) => Number(fault !== undefined)),
    );
  }

  start(): void {
    this.#running = true;
    this.#follow();
  }

  stop(): void {
    this.#running = false;
    for (const pool of this.#pools.keys()) this.#drop(pool);
  }

  /** Takes up what a record, already folded, changed about pools. */
  onRecord({ events }: LogRecord): void {
    if (this.#running && events.some(({ type }) => type.startsWith('pool.'))) this.#follow();
  }

  fault(): string | undefined {
    for (const [pool, { follower }] of this.#pools)
      if (follower.fault !== undefined) return `the backends of pool ${pool}: ${follower.fault}`;
    return undefined;
  }

  #follow(): void {
    const { pools } = this.#options.context.fleet.state;
    for (const pool of this.#pools.keys())
      if (pools.get(pool)?.settings.discovery === undefined) this.#drop(pool);
    for (const [pool, { settings }] of pools) {
      const { discovery } = settings;
      if (discovery === undefined || this.#pools.get(pool)?.settings === canonicalJson(discovery)) continue;
      this.#drop(pool);
      this.#take(pool, discovery);
    }
  }

  #take(pool: string, settings: DiscoverySettings): void {
    const { clock, random, log } = this.#options.context;
    const source = this.#sourceOf(pool, settings);
    const onFound = (found: readonly Discovered[]) => this.#write(pool, settings, source.what, found);
    const follower = new SourceFollower({ source, clock, random, log: log.child({ pool }), onFound });
    this.#pools.set(pool, { settings: canonicalJson(settings), follower });
    follower.start();
  }

  #drop(pool: string): void {
    this.#pools.get(pool)?.follower.stop();
    this.#pools.delete(pool);
  }

  #sourceOf(pool: string, settings: DiscoverySettings): Source {
    const { resolver, files } = this.#options;
    if (settings.by === 'dns') return new AddressSource(pool, settings, resolver);
    if (settings.by === 'srv') return new ServiceSource(pool, settings, resolver);
    return new FileSource(pool, settings.file, files);
  }

  #write(pool: string, settings: DiscoverySettings, what: string, found: readonly Discovered[]): void {
    const { context, actors, own, write } = this.#options;
    const { fleet, clock } = context;
    const home = settings.by === 'file' ? [] : found.filter(({ url }) => leadsHome(url, own));
    const others = found.filter((each) => !home.includes(each));
    const decide = () => decideDiscovered(fleet.state, actors, pool, settings, others, clock.now());
    const declared = fleet.state.pools.get(pool)?.settings;
    const astray = [
      ...home,
      ...others.filter(({ url }) => declared !== undefined && leadsAstray(url, declared)),
    ];
    if (settings.by !== 'file' && astray.length > 0)
      context.log.warn('addresses that no backend may have were found and are left out', {
        pool,
        source: what,
        urls: astray.map(({ url }) => url).join(', '),
      });
    // Mostly nothing has changed; only then is it worth a turn in the queue.
    if (decide().length > 0) write(`found by ${what}`, decide);
  }

  #samples(valueOf: (follower: SourceFollower) => number | undefined) {
    return [...this.#pools].flatMap(([pool, { follower }]) => {
      const value = valueOf(follower);
      return value === undefined ? [] : [{ labels: { pool }, value }];
    });
  }
}
