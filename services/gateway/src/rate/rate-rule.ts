import { hashOf, type PolicySettings, type RateLimitSettings, type RouteSettings } from '@usher/domain';

const NS_PER_MS = 1e6;
const MS_PER_S = 1_000;

/** A rate limit as requests are held to it. Made from the policy alone, so all threads and gateways make the same. */
export interface RateRule {
  /** Tells its clients' cells from those of other rules; another when any of its settings change. Never 0. */
  readonly id: number;
  /** That of its cells while each gateway counts for itself. */
  readonly aloneId: number;
  /** What it is called in the store, and to clients: the route that it is for, or `all`. */
  readonly name: string;
  readonly settings: RateLimitSettings;
  readonly intervalNs: number;
  readonly burstNs: number;
  /** Value of the header RateLimit-Policy: so many in the time in which that comes back. */
  readonly policy: string;
}

/** Stands for all routes that have none of their own. No route has such an id unless somebody wants it to. */
const ALL = 'all';

/** The rule for a route; undefined when there is none. */
export function ruleOf(
  route: RouteSettings,
  policy: Pick<PolicySettings, 'rateLimit'>,
): RateRule | undefined {
  const settings = route.rateLimit ?? policy.rateLimit;
  if (settings === undefined || settings === 'none') return undefined;
  const own = route.rateLimit !== undefined || settings.by === 'route';
  return newRule(own ? `route/${route.id}` : ALL, settings);
}

function newRule(name: string, settings: RateLimitSettings): RateRule {
  const { requests, perMs, burst } = settings;
  const intervalMs = perMs / requests;
  const identity = `${name} ${JSON.stringify(settings)}`;
  const windowS = Math.max(1, Math.ceil((burst * intervalMs) / MS_PER_S));
  return {
    id: idOf(identity),
    aloneId: idOf(`alone ${identity}`),
    name,
    settings,
    intervalNs: intervalMs * NS_PER_MS,
    burstNs: burst * intervalMs * NS_PER_MS,
    policy: `"${name}";q=${burst};w=${windowS}`,
  };
}

function idOf(identity: string): number {
  return hashOf(identity) | 1;
}
