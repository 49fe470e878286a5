import type { PoolSettings } from '@usher/domain';

/** Cores of each backend. */
export const BACKENDS: Readonly<Record<string, number>> = { b1: 96, b2: 64, b3: 32, b4: 8 };

export const POOL_CHANGES: Partial<PoolSettings> = {
  reserve: 'session',
  reserveIdleMs: 10_000,
  queue: { max: 100, timeoutMs: 200 },
};
