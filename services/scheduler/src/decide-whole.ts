import { createHash } from 'node:crypto';
import {
  type Change,
  canonicalJson,
  type FleetState,
  isDeclared,
  type SharedSettings,
  sharedSettingsOf,
} from '@usher/domain';
import type { EventDraft } from '@usher/events';
import { assertAllowed, assertSound, inheritedTargets } from './assert-allowed.ts';
import { changePool, type DeclaredConfig, declareAll, initialHealth, isElsewhere } from './decide-config.ts';
import { present } from './decide-settings.ts';
import { changesBy } from './preview-config.ts';

/** The whole configuration at once, by a command. Both throw UsherError as `decideCommand` does. */

export function applyWhole(state: FleetState, wanted: SharedSettings, nowMs: number): EventDraft[] {
  const before = present(state);
  const shared = withTargets(before, wanted);
  assertSound(before, shared);
  const drafts = declareAll(state, declaredByCommand(shared), nowMs);
  return drafts.length === 1 && isPresentPolicy(state, drafts[0]) ? [] : drafts;
}

function declaredByCommand(shared: SharedSettings): DeclaredConfig {
  const hash = createHash('sha256').update(canonicalJson(shared)).digest('hex');
  return { shared, hash, origin: 'command' };
}

/** What `config.apply` would change, whether or not a command may. */
export function previewWhole(state: FleetState, wanted: SharedSettings, nowMs: number): Change[] {
  const before = sharedSettingsOf(state);
  const shared = before === undefined ? wanted : withTargets(before, wanted);
  return changesBy(state, declareAll(state, declaredByCommand(shared), nowMs));
}

/** Where pools say nothing of it, `targets` stay as they are. */
function withTargets(before: SharedSettings, { pools, ...rest }: SharedSettings): SharedSettings {
  const inherited = inheritedTargets(before.pools);
  const targetsOf = (id: string) => {
    const known = before.pools.find((pool) => pool.id === id);
    return known === undefined ? inherited : known.targets;
  };
  return { ...rest, pools: pools.map((pool) => ({ ...pool, targets: pool.targets ?? targetsOf(pool.id) })) };
}

/**
 * The events that make the configuration what it was: other than a file, it also takes away what commands added since. What
 * a file has taken away since only a file brings back, where only a file may say it.
 */
export function revertTo(state: FleetState, past: FleetState, nowMs: number): EventDraft[] {
  const { hash = '', policy, added = [], declaredAt } = past.config ?? {};
  const earlier = sharedSettingsOf(past);
  if (policy === undefined || earlier === undefined) return [];
  if (declaredAt !== state.config?.declaredAt) assertAllowed(present(state), earlier);
  const revision = (state.config?.revision ?? 0) + 1;
  const data = { revision, hash, policy, added: [...added], origin: 'command' as const };
  const applied: EventDraft = { type: 'config.applied', subject: 'fleet', data };
  const drafts = [
    ...revertPools(state, past),
    ...revertBackends(state, past, nowMs),
    ...dropPools(state, past),
  ];
  return drafts.length === 0 && isPresentPolicy(state, applied) ? [] : [applied, ...drafts];
}

function isPresentPolicy({ config }: FleetState, draft: EventDraft | undefined): boolean {
  return (
    draft?.type === 'config.applied' && canonicalJson(draft.data.policy) === canonicalJson(config?.policy)
  );
}

function revertPools(state: FleetState, past: FleetState): EventDraft[] {
  return [...past.pools.values()].flatMap(({ settings, origin }): EventDraft[] => {
    const known = state.pools.get(settings.id)?.settings;
    if (known === undefined)
      return [{ type: 'pool.added', subject: settings.id, data: { settings, origin } }];
    return canonicalJson(known) === canonicalJson(settings) ? [] : changePool(state, known, settings, {});
  });
}

function revertBackends(state: FleetState, past: FleetState, nowMs: number): EventDraft[] {
  const drafts: EventDraft[] = [];
  for (const [id, backend] of past.backends) {
    const { settings, origin, removing } = backend;
    const pool = past.pools.get(settings.pool)?.settings;
    if (!isDeclared(backend) || removing || pool === undefined) continue;
    const known = state.backends.get(id);
    const health = initialHealth(pool);
    if (known === undefined) {
      drafts.push({ type: 'backend.registered', subject: id, data: { settings, origin, health } });
      continue;
    }
    const moved = known.settings.pool !== settings.pool || isElsewhere(known.settings, settings);
    if (canonicalJson(known.settings) !== canonicalJson(settings))
      drafts.push({
        type: 'backend.updated',
        subject: id,
        data: { settings, ...(moved ? { health } : {}) },
      });
    if (known.removing) drafts.push({ type: 'backend.enabled', subject: id, data: { backend: id } });
  }
  for (const [id, backend] of state.backends) {
    const { settings, removing } = backend;
    const before = past.backends.get(id);
    const stays = before !== undefined && !before.removing;
    if (!isDeclared(backend) || removing || stays || !past.pools.has(settings.pool)) continue;
    const deadlineMs = nowMs + (state.pools.get(settings.pool)?.settings.drainMs ?? 0);
    drafts.push({
      type: 'backend.drain_started',
      subject: id,
      data: { backend: id, deadlineMs, remove: true },
    });
  }
  return drafts;
}

/** With all that they have. */
function dropPools(state: FleetState, past: FleetState): EventDraft[] {
  const gone = [...state.pools.keys()].filter((id) => !past.pools.has(id));
  return gone.flatMap((pool): EventDraft[] => [
    ...[...state.backends]
      .filter(([id, { settings }]) => settings.pool === pool && !past.backends.has(id))
      .map(([id]): EventDraft => ({ type: 'backend.removed', subject: id, data: { backend: id } })),
    { type: 'pool.removed', subject: pool, data: { pool } },
  ]);
}
