import { type Change, configChanges, type FleetState, type SharedSettings } from '@usher/domain';
import type { EventDraft } from '@usher/events';
import { applyConfig, type DeclaredConfig } from './decide-config.ts';

/** What it would change if a leader's file became this one: by the events that it would lead to, and so by the same rule. */
export function previewConfig(state: FleetState, declared: DeclaredConfig, nowMs: number): Change[] {
  return changesBy(state, applyConfig(state, declared, nowMs));
}

/**
 * What events would change of the configuration, by whatever it is declared: also backends of agents and of discoveries, and who
 * has the last word on a pool or a backend (`origin`). Backends that drain to be removed are gone.
 */
export function changesBy(state: FleetState, drafts: readonly EventDraft[]): Change[] {
  const before = new Parts(state);
  const after = new Parts(state);
  for (const draft of drafts) after.note(draft);
  return configChanges(before.shared(), after.shared());
}

/** The parts of a configuration as events make them. */
class Parts {
  readonly #state: FleetState;
  readonly #pools = new Map<string, SharedSettings['pools'][number]>();
  readonly #backends = new Map<string, SharedSettings['backends'][number]>();
  #policy: Omit<SharedSettings, 'pools' | 'backends'> | undefined;

  constructor(state: FleetState) {
    this.#state = state;
    this.#policy = state.config?.policy;
    for (const [id, { settings, origin }] of state.pools) this.#pools.set(id, withOrigin(settings, origin));
    for (const [id, { settings, origin, removing }] of state.backends)
      if (!removing) this.#backends.set(id, withOrigin(settings, origin));
  }

  shared(): SharedSettings | undefined {
    if (this.#policy === undefined) return undefined;
    return { ...this.#policy, pools: [...this.#pools.values()], backends: [...this.#backends.values()] };
  }

  note({ type, subject, data }: EventDraft): void {
    const { pools, backends } = this.#state;
    if (type === 'config.applied') this.#policy = data.policy;
    if (type === 'pool.added') this.#pools.set(subject, withOrigin(data.settings, data.origin));
    if (type === 'pool.updated')
      this.#pools.set(subject, withOrigin(data.settings, data.origin ?? pools.get(subject)?.origin));
    if (type === 'pool.removed') this.#pools.delete(subject);
    if (type === 'backend.registered') this.#backends.set(subject, withOrigin(data.settings, data.origin));
    if (type === 'backend.updated')
      this.#backends.set(subject, withOrigin(data.settings, data.origin ?? backends.get(subject)?.origin));
    if (type === 'backend.removed' || type === 'backend.drain_started') this.#backends.delete(subject);
    const back = type === 'backend.enabled' ? backends.get(subject) : undefined;
    if (back !== undefined && !this.#backends.has(subject))
      this.#backends.set(subject, withOrigin(back.settings, back.origin));
  }
}

function withOrigin<S extends object>(settings: S, origin: string | undefined): S & { origin?: string } {
  return origin === undefined ? settings : { ...settings, origin };
}
