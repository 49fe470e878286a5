import { type DiscoverySettings, discoveredId, WEIGHT_MAX } from '@usher/domain';
import type { Resolver, ServiceRecord } from '@usher/ports';
import { type Answer, KnownNames } from './known-names.ts';
import type { Discovered, Found, Source } from './source.ts';

/** However much a name server answers. */
const BACKENDS_MAX = 1_000;
const RECORDS_MAX = 200;

type ByDns = Extract<DiscoverySettings, { by: 'dns' }>;
type BySrv = Extract<DiscoverySettings, { by: 'srv' }>;

/** A backend for each address of a name. */
export class AddressSource implements Source {
  readonly what: string;
  readonly retryMaxMs: number;
  readonly #pool: string;
  readonly #settings: ByDns;
  readonly #names: KnownNames;

  constructor(pool: string, settings: ByDns, resolver: Resolver) {
    this.what = `the addresses of ${settings.name}`;
    this.retryMaxMs = settings.refreshMaxMs;
    this.#pool = pool;
    this.#settings = settings;
    this.#names = new KnownNames(resolver, settings.servers);
  }

  async look(): Promise<Found> {
    const { name, tls, port } = this.#settings;
    const { addresses, ttlMs, stale } = await this.#names.addresses(name);
    if (addresses.length === 0) throw new Error(stale);
    const backends = addresses
      .slice(0, BACKENDS_MAX)
      .map((address) => backendAt(this.#pool, tls, address, port));
    return { backends, freshMs: bounded(ttlMs, this.#settings), stale };
  }
}

/** A backend for each address of each target of a name's SRV records, with the record's port, weight and priority. */
export class ServiceSource implements Source {
  readonly what: string;
  readonly retryMaxMs: number;
  readonly #pool: string;
  readonly #settings: BySrv;
  readonly #resolver: Resolver;
  readonly #names: KnownNames;
  #records: readonly ServiceRecord[] = [];

  constructor(pool: string, settings: BySrv, resolver: Resolver) {
    this.what = `the SRV records of ${settings.name}`;
    this.retryMaxMs = settings.refreshMaxMs;
    this.#pool = pool;
    this.#settings = settings;
    this.#resolver = resolver;
    this.#names = new KnownNames(resolver, settings.servers);
  }

  async look(): Promise<Found> {
    let stale = await this.#ask();
    const records = this.#records;
    if (records.length === 0) throw new Error(stale);
    const targets = [...new Set(records.map(({ target }) => target))];
    const answers = new Map<string, Answer>();
    await Promise.all(targets.map(async (name) => answers.set(name, await this.#names.addresses(name))));
    this.#names.retain(new Set(targets));
    const scale = WEIGHT_MAX / Math.max(WEIGHT_MAX, ...records.map(({ weight }) => weight));
    const backends = new Map<string, Discovered>();
    let ttlMs = Number.POSITIVE_INFINITY;
    for (const record of records) {
      const answer = answers.get(record.target);
      if (answer === undefined) continue;
      stale ??= answer.stale;
      ttlMs = Math.min(ttlMs, answer.ttlMs);
      for (const each of this.#backendsOf(record, answer.addresses, scale))
        if (!backends.has(each.id) && backends.size < BACKENDS_MAX) backends.set(each.id, each);
    }
    if (backends.size === 0) throw new Error(stale);
    return { backends: [...backends.values()], freshMs: bounded(ttlMs, this.#settings), stale };
  }

  /** Brings the records up to date; answers why that was not possible. */
  async #ask(): Promise<string | undefined> {
    const { name, servers } = this.#settings;
    try {
      const found = await this.#resolver.services(name, servers);
      // A target that is the root says that there is no such service.
      const records = found.filter(({ target, port }) => target !== '' && target !== '.' && port > 0);
      if (records.length === 0) return `${name} has no SRV records`;
      this.#records = records.toSorted((a, b) => a.priority - b.priority).slice(0, RECORDS_MAX);
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  }

  /** The addresses of a target share its weight. One of 0, which is to be chosen hardly ever, counts as 1. */
  #backendsOf({ port, priority, weight }: ServiceRecord, addresses: readonly string[], scale: number) {
    const share = (Math.max(1, weight) * scale) / addresses.length;
    const said = { weight: share, priority };
    return addresses.map((address) => ({
      ...backendAt(this.#pool, this.#settings.tls, address, port),
      ...said,
    }));
  }
}

function backendAt(pool: string, tls: boolean, address: string, port: number): Discovered {
  const host = address.includes(':') ? `[${address}]` : address;
  const standard = port === (tls ? 443 : 80);
  const url = `${tls ? 'https' : 'http'}://${host}${standard ? '' : `:${port}`}`;
  return { id: discoveredId(pool, address, port), pool, url };
}

function bounded(ttlMs: number, { refreshMinMs, refreshMaxMs }: ByDns | BySrv): number {
  return Math.min(Math.max(ttlMs, refreshMinMs), refreshMaxMs);
}
