import {
  type BackendSettings,
  canonicalJson,
  type FleetState,
  type PolicySettings,
  poolsOf,
  type RouteSettings,
  UsherError,
} from '@usher/domain';
import type { EventDraft } from '@usher/events';
import { urlsOf } from './backend-address.ts';
import { type Places, Reach } from './reach.ts';

/** What keeps requests from a route's backends; of its plugins, those that have a file may do that. */
const GUARDS = ['clients', 'apiKeys', 'jwt', 'plugins'] as const;
type Guard = (typeof GUARDS)[number];

/** A fleet as far as guards go, before or after a command. */
interface Guarding {
  readonly policy: PolicySettings;
  readonly reach: Reach;
}

/**
 * Refuses what would make the fleet less safe, which is for administrators: a backend's certificate that is not looked at
 * any more, backends wherever a name server says, proxies trusted anew, and routes past a guard of others that lead to the same
 * pool, or to the same address.
 */
export function assertAsSafe(state: FleetState, drafts: readonly EventDraft[]): void {
  const before = state.config?.policy;
  if (before === undefined) return;
  const after = drafts.reduce(policyAfter, before);
  const proxies = after.trustedProxies.filter((proxy) => !before.trustedProxies.includes(proxy));
  const moved = drafts.some((draft) => moves(state, draft));
  const faults = [
    ...drafts.flatMap((draft) => unchecked(state, draft)),
    ...proxies.map((proxy) => `trusted_proxies: ${proxy}`),
    ...(after === before && !moved ? [] : lessGuarded(...guardings(state, drafts, after))),
  ];
  if (faults.length > 0)
    throw new UsherError(
      'forbidden',
      `this needs the role admin, as less would be checked: ${faults.join('; ')}`,
    );
}

function unchecked(state: FleetState, draft: EventDraft): string[] {
  if (draft.type !== 'pool.added' && draft.type !== 'pool.updated') return [];
  const { id, tls, discovery } = draft.data.settings;
  const known = state.pools.get(id)?.settings;
  const trusts = tls?.verify === false && known?.tls?.verify !== false;
  const looks = discovery !== undefined && !isSame(discovery, known?.discovery);
  return [...(trusts ? [`pools.${id}.tls.verify`] : []), ...(looks ? [`pools.${id}.discovery`] : [])];
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

/** A backend is now where it was not. */
function moves(state: FleetState, { type, data }: EventDraft): boolean {
  if (type !== 'backend.registered' && type !== 'backend.updated') return false;
  const known = state.backends.get(data.settings.id)?.settings;
  return known === undefined || urlsOf(data.settings).some((url) => !urlsOf(known).includes(url));
}

function guardings(
  state: FleetState,
  drafts: readonly EventDraft[],
  after: PolicySettings,
): [Guarding, Guarding] {
  const backends = new Map<string, BackendSettings>();
  for (const [id, { settings }] of state.backends) backends.set(id, settings);
  const before = { policy: state.config?.policy ?? after, reach: new Reach(backends.values()) };
  for (const { type, data } of drafts) {
    if (type === 'backend.registered' || type === 'backend.updated')
      backends.set(data.settings.id, data.settings);
  }
  return [before, { policy: after, reach: new Reach(backends.values()) }];
}

function lessGuarded(before: Guarding, after: Guarding): string[] {
  const changed = after.policy.routes.flatMap((route) => weaker(route, before, after));
  // Where it led another route may now match, which lets everybody through.
  const gone = before.policy.routes.filter((route) => {
    const now = after.policy.routes.find(({ id }) => id === route.id);
    const stays = now?.host === route.host && now?.path === route.path;
    return !stays && GUARDS.some((guard) => guardOf(guard, route, before.policy) !== undefined);
  });
  return [
    ...changed,
    ...gone.map(({ id }) => `routes.${id}: it has a guard, and goes or moves`),
    ...left(before, after),
  ];
}

/** Pools to which a route with a guard of its own led, and now none does: whoever leads there next would be asked for nothing. */
function left({ policy: before }: Guarding, { policy: after }: Guarding): string[] {
  const still = new Set(guardedOf(after).flatMap(poolsOf));
  return guardedOf(before).flatMap((route) =>
    poolsOf(route)
      .filter((pool) => !still.has(pool))
      .map((pool) => `routes.${route.id}: it has a guard, and leaves the pool ${pool} without any`),
  );
}

/** The guards that a route would have to have and has not. */
function weaker(route: RouteSettings, before: Guarding, after: Guarding): string[] {
  const same = before.policy.routes.find(({ id }) => id === route.id);
  const reached = newPlaces(route, same, before.reach, after.reach);
  const others = before.policy.routes.filter(
    (each) =>
      each !== same &&
      !(
        reached.isDisjointFrom(before.reach.answers(each)) &&
        reached.isDisjointFrom(before.reach.copies(each))
      ),
  );
  return GUARDS.flatMap((guard) => {
    const asking = [...(same === undefined ? [] : [same]), ...others].filter(
      (each) => guardOf(guard, each, before.policy) !== undefined,
    );
    const known = asking.map((each) => guardOf(guard, each, before.policy));
    const usual = same === undefined ? guardOf(guard, NO_ROUTE, before.policy) : undefined;
    const asked = usual === undefined ? known : [...known, usual];
    const now = guardOf(guard, route, after.policy);
    if (asked.length === 0 || (now !== undefined && asked.includes(now))) return [];
    const ids = asking.filter((each) => each !== same).map(({ id }) => id);
    const past = ids.length === 0 ? '' : ` as at ${ids.join(', ')}, to whose backends it would lead`;
    return [`routes.${route.id}: ${NAMES[guard]}${past}`];
  });
}

/** Where a route leads to which it did not lead before, or not by these paths. Who got copies alone gave no answers. */
function newPlaces(
  route: RouteSettings,
  same: RouteSettings | undefined,
  before: Reach,
  after: Reach,
): Places {
  const known = same !== undefined && isSame(pathsOf(same), pathsOf(route)) ? same : undefined;
  const answered: Places = known === undefined ? new Set() : before.answers(known);
  const copied: Places = known === undefined ? new Set() : before.copies(known);
  return after
    .answers(route)
    .difference(answered)
    .union(after.copies(route).difference(copied).difference(answered));
}

/** What decides which requests a route takes, and which paths backends get. */
function pathsOf({ host, path, traffic }: RouteSettings): object {
  return { host, path, rewrite: traffic?.rewrite };
}

function isSame(one: unknown, other: unknown): boolean {
  return canonicalJson({ one }) === canonicalJson({ one: other });
}

/** Routes with a guard of their own. */
function guardedOf({ routes }: PolicySettings): readonly RouteSettings[] {
  return routes.filter(({ traffic, plugins }) =>
    GUARDS.some((guard) =>
      guard === 'plugins'
        ? plugins.some(({ file }) => file !== undefined)
        : written(traffic?.[guard]) !== undefined,
    ),
  );
}

/** What a route asks for, in its one form; undefined when nothing. */
function guardOf(
  guard: Guard,
  { traffic, plugins }: Pick<RouteSettings, 'traffic' | 'plugins'>,
  policy: PolicySettings,
): string | undefined {
  if (guard !== 'plugins') return written(traffic?.[guard] ?? policy.traffic?.[guard]);
  const own = plugins.filter(({ file }) => file !== undefined);
  return own.length === 0 ? undefined : written(own);
}

const NO_ROUTE = { traffic: undefined, plugins: [] };
const NAMES: Readonly<Record<Guard, string>> = {
  clients: 'clients',
  apiKeys: 'api_keys',
  jwt: 'jwt',
  plugins: 'plugins',
};

function written(asked: unknown): string | undefined {
  return asked === undefined || asked === 'none' ? undefined : canonicalJson(asked);
}
