import type { BackendActors } from '@usher/actors';
import {
  type BackendSettings,
  type BackendState,
  canonicalJson,
  type DiscoverySettings,
  type FleetState,
} from '@usher/domain';
import type { EventDraft } from '@usher/events';
import { declareBackend } from '../decide-config.ts';
import { leadsAstray } from '../targets.ts';
import type { Discovered } from './source.ts';

/**
 * The events that make a pool's discovered backends what was found by `settings`; none when the pool is looked for by others
 * by now. Those that are not found any more drain and go. What somebody else declared is left alone, and so is all that the
 * source does not say, such as a drain. Name servers may not name just any address: what no pool may have counts as not found.
 */
export function decideDiscovered(
  state: FleetState,
  actors: BackendActors,
  pool: string,
  settings: DiscoverySettings,
  all: readonly Discovered[],
  nowMs: number,
): EventDraft[] {
  const declared = state.pools.get(pool)?.settings;
  if (declared === undefined || canonicalJson(declared.discovery) !== canonicalJson(settings)) return [];
  const found = settings.by === 'file' ? all : all.filter((each) => !leadsAstray(each.url, declared));
  const ids = new Set(found.map(({ id }) => id));
  const gone = [...state.backends].filter(
    ([id, backend]) => isDiscoveredIn(backend, pool) && !backend.removing && !ids.has(id),
  );
  return [
    ...found.flatMap((each) => {
      const known = state.backends.get(each.id);
      if (known !== undefined && !isDiscoveredIn(known, pool)) return [];
      return declareBackend(state, merged(known?.settings, each, settings), declared, 'discovery');
    }),
    ...gone.flatMap(([id]) =>
      actors.decide(id, { type: 'drain.wanted', deadlineMs: nowMs + declared.drainMs, remove: true }),
    ),
  ];
}

function isDiscoveredIn({ origin, settings }: BackendState, pool: string): boolean {
  return origin === 'discovery' && settings.pool === pool;
}

/** A file says everything of its backends; a name server says little, and the rest stays as operators set it. */
function merged(
  known: BackendSettings | undefined,
  found: Discovered,
  { by }: DiscoverySettings,
): BackendSettings {
  return { weight: 1, ...(by === 'file' ? {} : known), ...found };
}
