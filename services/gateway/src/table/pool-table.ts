import {
  breakerAdmits,
  linePressure,
  type PoolSettings,
  PRIORITY_MAX,
  type Preference,
  RetryBudget,
  STRATEGIES,
  setCandidates,
} from '@usher/domain';
import { targetsOf } from '@usher/runtime';
import type { BackendSlot, Endpoint, PoolTable } from '../routing-table.ts';
import { honourEjections, isInService } from './ejections.ts';
import { isPanicking, servesInPanic } from './panic.ts';
import { setWeights } from './slow-start.ts';
import { PoolTls, type TlsRow } from './tls-client.ts';

/** In place of the settings of a pool that a route or backend names and nobody declared. */
export function undeclared(id: string): PoolSettings {
  return {
    id,
    strategy: 'p2c',
    health: { type: 'none' },
    breaker: {
      enabled: false,
      failures: 1,
      windowMs: 1,
      openForMs: 1,
      halfOpenRequests: 1,
      successes: 1,
    },
    retry: { attempts: 0, budgetRatio: 0 },
    proxyProtocol: 'none',
    http2: false,
    drainMs: 0,
    agents: false,
  };
}

/** For pools that say nothing of TLS. */
const DEFAULT_TLS: TlsRow = { verify: true };

export function newPool(settings: PoolSettings): PoolTable {
  return {
    id: settings.id,
    settings,
    declared: false,
    hash: undefined,
    hears: false,
    needsLoad: false,
    echo: 0,
    reserves: false,
    asksWhere: false,
    sticky: undefined,
    warming: false,
    panic: false,
    slots: [],
    members: [],
    eligible: [],
    totalWeight: 0,
    inFlight: 0,
    chooser: STRATEGIES[settings.strategy === 'custom' ? 'p2c' : settings.strategy].create(),
    retryBudget: new RetryBudget(),
    line: undefined,
    pressure: 0,
    tls: new PoolTls(DEFAULT_TLS),
    targets: targetsOf(settings.targets),
  };
}

/** Gives a pool settings: those that were declared, or what stands in for them. */
export function settle(pool: PoolTable, settings: PoolSettings, declared: boolean): void {
  pool.targets = targetsOf(settings.targets);
  pool.settings = settings;
  pool.declared = declared;
  pool.reserves = (settings.reserve ?? 'none') !== 'none';
}

/** Why there is nobody to choose from, where that is not the backends' matter; otherwise empty. */
export function whyNobody({ declared }: PoolTable): string {
  return declared ? '' : 'the route names a pool that is not declared';
}

/**
 * Works out whom the pool's strategy may choose from, in this order of preference, never mixing them:
 * 1. who is eligible by the log, by this worker's breaker and by its passive health;
 * 2. who is a last resort and not stopped by this worker's breaker: nobody knows anything bad for certain;
 * 3. whoever only a breaker or an ejection speaks against. With all breakers open there is nowhere better to send to, and
 *    spreading the load over all finds the first one that recovers, where answering 503 would turn many errors into nothing
 *    but errors. In a pool that fails closed whoever has an open breaker is left out: after 1. come those that are ejected, or
 *    that nobody has probed yet.
 * Of those, only the ones with the lowest `priority` are left.
 * A pool that is not declared has nobody: its backends would be served without the limits, tiers and reservations that
 * it may have elsewhere. Who is unhealthy, draining or disabled, or has an endpoint without a known address, is in none of
 * them. But in a panic, with too small a part of the pool eligible, it is all that no operator took out, see `servesInPanic`.
 */
export function rebuildEligible(pool: PoolTable, nowMs: number): void {
  honourEjections(pool);
  setWeights(pool, isAdmitted, nowMs);
  pool.panic = isPanicking(pool);
  const preference = preferenceOf(pool);
  setCandidates(pool, pool.slots, preference === null ? [] : candidatesOf(pool, preference));
}

/** Whether it may get requests but for backends that come before it. */
export function isSecondary(slot: BackendSlot): boolean {
  const { eligible } = slot.pool;
  const preference = preferenceOf(slot.pool);
  return (
    preference !== null &&
    PREFERENCES[preference](slot) &&
    eligible.every((other) => other.priority < slot.priority)
  );
}

/** Goes on with what changes by itself: slow starts, and how much of the pool's line is taken. */
export function tickPool(pool: PoolTable, nowMs: number): void {
  const { line, pressure, settings } = pool;
  if (pool.warming) rebuildEligible(pool, nowMs);
  if (line !== undefined) pool.pressure = linePressure(pressure, line.taken(settings.queue?.max ?? 0));
}

/** Which of these it has come to; null when there is nobody to choose from. */
export function preferenceOf({ declared, slots, panic, settings }: PoolTable): Preference | null {
  if (!declared) return null;
  if (panic && slots.some(PREFERENCES.panic)) return 'panic';
  const order = settings.failOpen === false ? FAILING_CLOSED : FAILING_OPEN;
  return order.find((preference) => slots.some(PREFERENCES[preference])) ?? null;
}

function candidatesOf({ slots }: PoolTable, preference: Preference): BackendSlot[] {
  const candidates = slots.filter(PREFERENCES[preference]);
  if (preference === 'panic') {
    const serving = candidates.filter(servesInPanic);
    return serving.length > 0 ? serving : candidates;
  }
  const first = candidates.reduce((least, { priority }) => Math.min(least, priority), PRIORITY_MAX);
  return candidates.filter(({ priority }) => priority === first);
}

const isReachable = ({ addresses }: Endpoint) => addresses.all.length > 0;
const isUsable = ({ fullWeight, endpoints }: BackendSlot) => fullWeight > 0 && endpoints.every(isReachable);
const isUnbroken = (slot: BackendSlot) => isUsable(slot) && breakerAdmits(slot.breaker, slot.trialLimit);
/** Nothing speaks against it. */
export const isAdmitted = (slot: BackendSlot) => slot.eligible && isUnbroken(slot) && !slot.ejected;
const PREFERENCES: Readonly<Record<Preference, (slot: BackendSlot) => boolean>> = {
  eligible: isAdmitted,
  panic: (slot) => isInService(slot) && isUsable(slot),
  last_resort: (slot) => slot.lastResort && isUnbroken(slot),
  unbroken: (slot) => (slot.eligible || slot.barred === 'unknown') && isUnbroken(slot),
  despite_breakers: (slot) => (slot.eligible || slot.lastResort) && isUsable(slot),
};
const FAILING_OPEN: readonly Preference[] = ['eligible', 'last_resort', 'despite_breakers'];
const FAILING_CLOSED: readonly Preference[] = ['eligible', 'unbroken'];
