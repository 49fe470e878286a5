import { type BackendSettings, poolsOf, type RouteSettings } from '@usher/domain';
import { addressOf, urlsOf } from './backend-address.ts';

/** Pools and addresses. */
export type Places = ReadonlySet<string>;

/** Where routes lead: to pools and to the addresses of their backends, at which others may have backends too. */
export class Reach {
  readonly #byPool = new Map<string, Set<string>>();

  constructor(backends: Iterable<BackendSettings>) {
    for (const backend of backends) {
      const places = this.#byPool.get(backend.pool) ?? new Set();
      this.#byPool.set(backend.pool, places);
      for (const url of urlsOf(backend)) places.add(addressOf(url));
    }
  }

  /** Whose answers a route gives. */
  answers(route: RouteSettings): Places {
    return this.#places(poolsOf(route));
  }

  /** Who gets copies of its requests. */
  copies({ mirror }: RouteSettings): Places {
    return this.#places(mirror === undefined ? [] : [mirror.pool]);
  }

  #places(pools: readonly string[]): Places {
    return new Set(pools.flatMap((pool) => [pool, ...(this.#byPool.get(pool) ?? [])]));
  }
}
