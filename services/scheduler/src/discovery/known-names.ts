import type { ResolvedAddress, Resolver } from '@usher/ports';

/** What a name stands for. */
export interface Answer {
  /** In order, each once. */
  readonly addresses: readonly string[];
  /** For how long they hold. */
  readonly ttlMs: number;
  /** Why some of them, or all, are those of the last good answer. */
  readonly stale: string | undefined;
}

type Families = Readonly<Record<4 | 6, readonly ResolvedAddress[]>>;

/** Addresses of names, with the last good answers: a name server that is away, or has lost a name, takes no backend with it. */
export class KnownNames {
  readonly #resolver: Resolver;
  readonly #servers: readonly string[] | undefined;
  readonly #known = new Map<string, Families>();

  constructor(resolver: Resolver, servers: readonly string[] | undefined) {
    this.#resolver = resolver;
    this.#servers = servers;
  }

  /** Never rejects; without an answer, and without a last one, there are no addresses. */
  async addresses(name: string): Promise<Answer> {
    const last = this.#known.get(name) ?? { 4: [], 6: [] };
    const failures: string[] = [];
    const ask = async (family: 4 | 6) => {
      try {
        return await this.#resolver.addresses(name, family, this.#servers);
      } catch (error) {
        failures.push((error as Error).message);
        return last[family];
      }
    };
    const [v4, v6] = await Promise.all([ask(4), ask(6)]);
    if (v4.length + v6.length > 0) {
      this.#known.set(name, { 4: v4, 6: v6 });
      return answerOf(v4, v6, failures[0]);
    }
    return answerOf(last[4], last[6], failures[0] ?? `${name} has no address`);
  }

  /** Forgets all names but these. */
  retain(names: ReadonlySet<string>): void {
    for (const name of this.#known.keys()) if (!names.has(name)) this.#known.delete(name);
  }
}

function answerOf(
  v4: readonly ResolvedAddress[],
  v6: readonly ResolvedAddress[],
  stale: string | undefined,
): Answer {
  const all = [...v4, ...v6];
  return {
    addresses: [...new Set(all.map(({ address }) => address))].toSorted(),
    ttlMs: Math.min(...all.map(({ ttlMs }) => ttlMs)),
    stale,
  };
}
