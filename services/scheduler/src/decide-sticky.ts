import {
  CLEARED_SESSIONS_MAX,
  clearedStill,
  type FleetState,
  networkOf,
  type PoolState,
  type StickySettings,
  UsherError,
} from '@usher/domain';
import type { CommandOf, EventDraft } from '@usher/events';
import { sessionIdOf, sessionOfCookie } from '@usher/runtime';

/** Has sessions begin anew. Throws UsherError as `decideCommand` does. */
export function clearSticky(
  state: FleetState,
  { data }: CommandOf<'sticky.clear'>,
  nowMs: number,
): EventDraft[] {
  const { pool: id } = data;
  const pool = findPool(state, id);
  const { sticky } = pool.settings;
  if (sticky === undefined)
    throw new UsherError('conflict', `pool ${id} keeps no sessions; it has no \`sticky\``);
  const session = sessionIn(data, sticky);
  const drafts: EventDraft[] = [
    {
      type: 'sticky.cleared',
      subject: id,
      data: { pool: id, ...(session === undefined ? {} : { session }) },
    },
  ];
  if (session === undefined) return drafts;
  const still = clearedStill(pool, nowMs);
  if (still.size >= CLEARED_SESSIONS_MAX && !still.has(session))
    throw new UsherError(
      'conflict',
      `${CLEARED_SESSIONS_MAX} sessions of pool ${id} were cleared one by one lately; clear all of them`,
    );
  return drafts;
}

/** Has gateways give back what they hold. Throws UsherError as `decideCommand` does. */
export function purgeAllocations(state: FleetState, { data }: CommandOf<'allocations.purge'>): EventDraft[] {
  const { pool: id, ofBackend } = data;
  const { settings } = findPool(state, id);
  if ((settings.reserve ?? 'none') === 'none')
    throw new UsherError('conflict', `nothing is reserved of pool ${id}`);
  if (ofBackend !== undefined && state.backends.get(ofBackend)?.settings.pool !== id)
    throw new UsherError('not_found', `pool ${id} has no backend ${ofBackend}`);
  const isAboutSession = data.session !== undefined || data.client !== undefined;
  if (isAboutSession && (settings.reserve !== 'session' || settings.sticky === undefined))
    throw new UsherError('conflict', `nothing of pool ${id} is reserved for sessions`);
  const session = settings.sticky && sessionIn(data, settings.sticky);
  const about = { pool: id, ...(ofBackend && { ofBackend }), ...(session && { session }) };
  return [{ type: 'allocations.purged', subject: id, data: about }];
}

function findPool(state: FleetState, id: string): PoolState {
  const pool = state.pools.get(id);
  if (pool === undefined) throw new UsherError('not_found', `there is no pool ${id}`);
  return pool;
}

/** The session that a command names, as the log does; undefined when it names none. */
function sessionIn(
  { session, client }: CommandOf<'sticky.clear'>['data'],
  sticky: StickySettings,
): string | undefined {
  if (session !== undefined && client !== undefined)
    throw new UsherError('invalid_input', 'session and client: one of them says which');
  return client === undefined ? session : sessionOf(sticky, client);
}

/** What the log calls the session of a client that sends this. */
function sessionOf(sticky: StickySettings, client: string): string {
  if (sticky.by === 'header') return sessionIdOf('header', client);
  if (sticky.by === 'ip') return sessionIdOf('ip', client.includes(':') ? networkOf(client) : client);
  const session = sessionOfCookie(client);
  if (session === undefined)
    throw new UsherError('invalid_input', 'client: not the value of a cookie of ours');
  return session;
}
