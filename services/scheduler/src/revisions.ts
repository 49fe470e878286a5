import {
  type Change,
  changesBetween,
  configChanges,
  type FleetState,
  type Outdated,
  sharedSettingsOf,
  UsherError,
} from '@usher/domain';
import { COMMANDS, type Command } from '@usher/events';
import { LogUnavailableError, type Position, type ServiceContext } from '@usher/ports';
import { PastStates } from './past-states.ts';

/** What a command changes, and whose revision its sender saw. */
type Target = { readonly part: 'backend' | 'pool'; readonly id: string } | { readonly part: 'config' };

/** A command was based on a revision that is not the present one. */
class OutdatedError extends UsherError {
  readonly target: Target;
  readonly seen: number;
  readonly revision: number;
  /** Position of the log that the present revision was found at. */
  readonly position: Position;

  constructor(target: Target, seen: number, revision: number, position: Position) {
    const what = target.part === 'config' ? 'the configuration' : `${target.part} ${target.id}`;
    super('conflict', `${what} is at revision ${revision}, not ${seen}`);
    this.target = target;
    this.seen = seen;
    this.revision = revision;
    this.position = position;
  }
}

/**
 * Which revision each thing is at. A revision is a position of the log: that of the record which last changed the thing.
 */
export class Revisions {
  readonly #context: ServiceContext;
  readonly #past: PastStates;

  constructor(context: ServiceContext) {
    this.#context = context;
    this.#past = new PastStates(context);
  }

  /** Throws UsherError `conflict` when what the command changes has changed since its sender looked. */
  check(command: Command): void {
    const { fleet } = this.#context;
    const { expectRevision: seen } = command;
    if (seen === undefined) return;
    const target = targetOf(command);
    const revision = revisionOf(fleet.state, target);
    // What is not there is told by whoever decides.
    if (revision === undefined || revision === seen) return;
    throw new OutdatedError(target, seen, revision, fleet.position);
  }

  /** The fleet at an earlier position, if it had a configuration then. Throws LogUnavailableError, UsherError `not_found`. */
  async past(position: Position): Promise<FleetState | undefined> {
    if (position > this.#context.fleet.position)
      throw new UsherError('not_found', `the log has not reached position ${position}`);
    const state = await this.#past.at(position);
    return state?.config === null ? undefined : state;
  }

  /** What has changed since the revision that the refused command was based on; undefined for other refusals. */
  async outdated(error: UsherError): Promise<Outdated | undefined> {
    if (!(error instanceof OutdatedError)) return undefined;
    const { target, seen, revision, position } = error;
    if (seen > revision) return { revision };
    try {
      const [before, after] = [await this.#past.at(seen), await this.#past.at(position)];
      if (before === undefined || after === undefined) return { revision };
      return { revision, changes: changesOf(target, before, after) };
    } catch (cause) {
      // The refusal stands, whether or not it can be explained.
      if (cause instanceof LogUnavailableError) return { revision };
      throw cause;
    }
  }
}

function targetOf({ name, data }: Command): Target {
  const { on } = COMMANDS[name];
  if (on === 'pool' && 'pool' in data && typeof data.pool === 'string')
    return { part: 'pool', id: data.pool };
  if (on === 'backend' && 'backend' in data) return { part: 'backend', id: data.backend };
  return name === 'backend.announce' ? { part: 'backend', id: data.settings.id } : { part: 'config' };
}

function revisionOf(state: FleetState, target: Target): number | undefined {
  if (target.part === 'config') return state.config?.changedAt ?? 0;
  return state[`${target.part}s`].get(target.id)?.revision;
}

function changesOf(target: Target, before: FleetState, after: FleetState): Change[] {
  return target.part === 'config'
    ? configChanges(sharedSettingsOf(before), sharedSettingsOf(after))
    : changesBetween(viewOf(before, target), viewOf(after, target));
}

/** What an operator can change of it, and nothing that comes and goes by itself. */
function viewOf(state: FleetState, target: Exclude<Target, { readonly part: 'config' }>): unknown {
  if (target.part === 'pool') {
    const pool = state.pools.get(target.id);
    return pool === undefined ? {} : { ...pool.settings, origin: pool.origin };
  }
  const backend = state.backends.get(target.id);
  if (backend === undefined) return {};
  const { settings, origin, lifecycle, removing } = backend;
  return { ...settings, origin, lifecycle, removing };
}
