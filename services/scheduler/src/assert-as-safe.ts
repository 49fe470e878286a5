import {
  canonicalJson,
  type FleetState,
  type PolicySettings,
  poolsOf,
  type RouteSettings,
  UsherError,
} from '@usher/domain';
import type { EventDraft } from '@usher/events';

/** What keeps requests from a route's backends. */
const GUARDS = ['clients', 'apiKeys', 'jwt'] as const;
type Guard = (typeof GUARDS)[number];

/**
 * Refuses what would make the fleet less safe, which is for administrators: a backend's certificate that is not looked at
 * any more, proxies trusted anew, and routes past a guard of others that lead to the same pool.
 */
export function assertAsSafe(state: FleetState, drafts: readonly EventDraft[]): void {
  const before = state.config?.policy;
  if (before === undefined) return;
  const after = drafts.reduce(policyAfter, before);
  const proxies = after.trustedProxies.filter((proxy) => !before.trustedProxies.includes(proxy));
  const faults = [
    ...drafts.flatMap((draft) => unverified(state, draft)),
    ...proxies.map((proxy) => `trusted_proxies: ${proxy}`),
    ...(after === before ? [] : lessGuarded(before, after)),
  ];
  if (faults.length > 0)
    throw new UsherError(
      'forbidden',
      `this needs the role admin, as less would be checked: ${faults.join('; ')}`,
    );
}

function unverified(state: FleetState, draft: EventDraft): string[] {
  if (draft.type !== 'pool.added' && draft.type !== 'pool.updated') return [];
  const { id, tls } = draft.data.settings;
  const isNew = tls?.verify === false && state.pools.get(id)?.settings.tls?.verify !== false;
  return isNew ? [`pools.${id}.tls.verify`] : [];
}

function policyAfter(policy: PolicySettings, draft: EventDraft): PolicySettings {
  const { routes } = policy;
  const { type, data } = draft;
  if (type === 'config.applied') return data.policy;
  if (type === 'route.added') return { ...policy, routes: [...routes, data.settings] };
  if (type === 'route.removed') return { ...policy, routes: routes.filter(({ id }) => id !== data.route) };
  if (type !== 'route.updated') return policy;
  const { settings } = data;
  return { ...policy, routes: routes.map((route) => (route.id === settings.id ? settings : route)) };
}

function lessGuarded(before: PolicySettings, after: PolicySettings): string[] {
  const changed = after.routes.flatMap((route) =>
    GUARDS.filter((guard) => isWeaker(guard, route, before, after)).map(
      (guard) => `routes.${route.id}: ${guard}`,
    ),
  );
  // Where it led another route may now match, which lets everybody through.
  const gone = before.routes.filter((route) => {
    const now = after.routes.find(({ id }) => id === route.id);
    const stays = now?.host === route.host && now?.path === route.path;
    return !stays && GUARDS.some((guard) => guardOf(guard, route, before) !== undefined);
  });
  return [...changed, ...gone.map(({ id }) => `routes.${id}: it has a guard, and goes or moves`)];
}

function isWeaker(
  guard: Guard,
  route: RouteSettings,
  before: PolicySettings,
  after: PolicySettings,
): boolean {
  const now = guardOf(guard, route, after);
  const same = before.routes.find(({ id }) => id === route.id);
  const had = new Set(same === undefined ? [] : poolsOf(same));
  const reached = new Set(poolsOf(route).filter((pool) => !had.has(pool)));
  const standing = before.routes.filter(
    (each) => each === same || poolsOf(each).some((pool) => reached.has(pool)),
  );
  const known = standing.map((each) => guardOf(guard, each, before)).filter((each) => each !== undefined);
  const usual = same === undefined ? written(before.traffic?.[guard]) : undefined;
  const asked = usual === undefined ? known : [...known, usual];
  return asked.length > 0 && (now === undefined || !asked.includes(now));
}

/** What a route asks for, in its one form; undefined when nothing. */
function guardOf(guard: Guard, { traffic }: RouteSettings, policy: PolicySettings): string | undefined {
  return written(traffic?.[guard] ?? policy.traffic?.[guard]);
}

function written(asked: unknown): string | undefined {
  return asked === undefined || asked === 'none' ? undefined : canonicalJson(asked);
}
