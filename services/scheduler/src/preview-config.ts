import { canonicalJson, type FleetState, type NamedChanges, type SharedPreview } from '@usher/domain';
import type { EventDraft } from '@usher/events';
import { applyConfig, type DeclaredConfig } from './decide-config.ts';

/** What it would change if a leader's file became this one: by the events that it would lead to, and so by the same rule. */
export function previewConfig(state: FleetState, declared: DeclaredConfig, nowMs: number): SharedPreview {
  const [pools, backends, routes] = [new Changes(), new Changes(), new Changes()];
  const settings: string[] = [];
  for (const draft of applyConfig(state, declared, nowMs)) {
    if (draft.type === 'config.applied') {
      const { routes: routesBefore = [], ...before } = state.config?.policy ?? {};
      const { routes: routesAfter, ...after } = draft.data.policy;
      compareRoutes(routes, routesBefore, routesAfter);
      settings.push(...otherKeys(before, after));
    } else {
      noteDraft(state, draft, { pools, backends });
    }
  }
  return { pools: pools.view(), backends: backends.view(), routes: routes.view(), settings };
}

/** Changes of one kind of thing as they are found. */
class Changes {
  readonly #added: string[] = [];
  readonly #removed: string[] = [];
  readonly #changed = new Map<string, Set<string>>();

  add(id: string): void {
    this.#added.push(id);
  }

  remove(id: string): void {
    this.#removed.push(id);
  }

  change(id: string, settings: readonly string[]): void {
    const known = this.#changed.get(id) ?? [];
    this.#changed.set(id, new Set([...known, ...settings]));
  }

  view(): NamedChanges {
    const changed = Array.from(this.#changed, ([id, settings]) => ({ id, settings: [...settings] }));
    return { added: this.#added, removed: this.#removed, changed };
  }
}

function noteDraft(
  state: FleetState,
  draft: EventDraft,
  { pools, backends }: { readonly pools: Changes; readonly backends: Changes },
): void {
  const { type, subject } = draft;
  if (type === 'pool.added') pools.add(subject);
  if (type === 'pool.removed') pools.remove(subject);
  if (type === 'pool.updated') {
    const { settings, ...more } = draft.data;
    pools.change(subject, [...otherKeys(state.pools.get(subject)?.settings, settings), ...Object.keys(more)]);
  }
  if (type === 'backend.registered') backends.add(subject);
  if (type === 'backend.removed' || type === 'backend.drain_started') backends.remove(subject);
  if (type === 'backend.enabled') backends.change(subject, ['lifecycle']);
  if (type === 'backend.updated') {
    const { settings, ...more } = draft.data;
    const keys = otherKeys(state.backends.get(subject)?.settings, settings);
    backends.change(subject, [...keys, ...Object.keys(more)]);
  }
}

function compareRoutes(
  changes: Changes,
  before: readonly { readonly id: string }[],
  after: readonly { readonly id: string }[],
): void {
  const [known, kept] = [new Map(before.map((each) => [each.id, each])), new Set(after.map(({ id }) => id))];
  for (const { id } of before) if (!kept.has(id)) changes.remove(id);
  for (const route of after) {
    const old = known.get(route.id);
    const keys = old === undefined ? [] : otherKeys(old, route);
    if (old === undefined) changes.add(route.id);
    else if (keys.length > 0) changes.change(route.id, keys);
  }
}

function otherKeys(before: object = {}, after: object): string[] {
  const [old, new_] = [new Map(Object.entries(before)), new Map(Object.entries(after))];
  const keys = new Set([...old.keys(), ...new_.keys()]);
  return [...keys].filter(
    (key) => canonicalJson({ value: old.get(key) }) !== canonicalJson({ value: new_.get(key) }),
  );
}
