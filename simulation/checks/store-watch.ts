import type { Reservations, StateStore } from '@usher/ports';
import type { Findings } from './findings.ts';
import type { Ledger } from './ledger.ts';

/**
 * Looks over the store's shoulder: after each reservation the sum of what is there is added up anew and held against what
 * the backend has, and against what the store counts.
 */
export function watchStore(
  store: StateStore,
  ledger: Ledger,
  findings: Findings,
  capacity: ReadonlyMap<string, number>,
): StateStore {
  const { reservations } = store;
  const check = async (pool: string, placed: string | undefined): Promise<void> => {
    const { allocations, used } = await reservations.list(pool);
    for (const [backend, has] of capacity) {
      const here = allocations.filter((held) => held.backend === backend);
      const sum = here.reduce((total, { resources }) => total + resources.milliCpu, 0);
      const counted = used.get(backend)?.resources.milliCpu ?? 0;
      const what = `${backend} has ${sum} of ${has} milliCpu reserved, and the store counts ${counted}`;
      if (counted !== sum || (backend === placed && sum > has))
        findings.report('capacity is never exceeded', what);
    }
  };
  const watched: Reservations = {
    async reserve(request) {
      const result = await reservations.reserve(request);
      if (result.outcome === 'reserved' || result.outcome === 'full') ledger.heard(request.owner);
      await check(request.pool, result.outcome === 'reserved' && !result.known ? result.backend : undefined);
      return result;
    },
    release: (pool, owner, allocations) => reservations.release(pool, owner, allocations),
    async renew(request) {
      const result = await reservations.renew(request);
      if (result.outcome === 'renewed') ledger.heard(request.owner);
      return result;
    },
    async restore(request) {
      const result = await reservations.restore(request);
      if (result.outcome === 'restored') ledger.heard(request.owner);
      await check(request.pool, undefined);
      return result;
    },
    sweep: (pool, max) => reservations.sweep(pool, max),
    list: (pool) => reservations.list(pool),
  };
  return {
    reservations: watched,
    sticky: store.sticky,
    rates: store.rates,
    acquireLease: (name, owner, ttlMs) => store.acquireLease(name, owner, ttlMs),
    releaseLease: (name, owner) => store.releaseLease(name, owner),
    listLeases: (prefix) => store.listLeases(prefix),
    get: (key) => store.get(key),
    set: (key, value, ttlMs) => store.set(key, value, ttlMs),
    setIfAbsent: (key, value, ttlMs) => store.setIfAbsent(key, value, ttlMs),
    delete: (key) => store.delete(key),
    status: () => store.status(),
    onStatus: (listener) => store.onStatus(listener),
    close: () => store.close(),
  };
}
