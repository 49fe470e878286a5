import type { PolicySettings, TokenSettings } from '@usher/domain';

/** What any route, or all of them, say of tokens. */
export function tokenSettingsOf({
  traffic,
  routes,
}: Pick<PolicySettings, 'traffic' | 'routes'>): TokenSettings[] {
  return [traffic, ...routes.map((route) => route.traffic)].flatMap((each) => {
    const jwt = each?.jwt;
    return jwt === undefined || jwt === 'none' ? [] : [jwt];
  });
}
