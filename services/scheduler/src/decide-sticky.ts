import {
  CLEARED_SESSIONS_MAX,
  clearedStill,
  type FleetState,
  networkOf,
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
  const { pool: id, session: named, client } = data;
  const pool = state.pools.get(id);
  if (pool === undefined) throw new UsherError('not_found', `there is no pool ${id}`);
  const { sticky } = pool.settings;
  if (sticky === undefined)
    throw new UsherError('conflict', `pool ${id} keeps no sessions; it has no \`sticky\``);
  if (named !== undefined && client !== undefined)
    throw new UsherError('invalid_input', 'session and client: one of them says which');
  const session = named ?? (client === undefined ? undefined : sessionOf(sticky, client));
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

/** What the log calls the session of a client that sends this. */
function sessionOf(sticky: StickySettings, client: string): string {
  if (sticky.by === 'header') return sessionIdOf('header', client);
  if (sticky.by === 'ip') return sessionIdOf('ip', client.includes(':') ? networkOf(client) : client);
  const session = sessionOfCookie(client);
  if (session === undefined)
    throw new UsherError('invalid_input', 'client: not the value of a cookie of ours');
  return session;
}
