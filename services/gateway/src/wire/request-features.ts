import {
  detectTier,
  type Features,
  NO_FEATURES,
  type RouteSettings,
  type TierClaims,
  type TierDetection,
  type TierSource,
} from '@usher/domain';
import type { RequestHead } from '@usher/http1';
import type { RouteEntry } from '../routing-table.ts';
import { featuresWith } from '../sticky/sticky.ts';
import { headerOf, type PlaceTools, placeOfHead } from './client-place.ts';
import type { Peer } from './peer.ts';
import { keyOfHead } from './request-key.ts';

/** What of a request decides where it goes; a sentence when it does not say so as it should. */
export function featuresOfHead(
  head: RequestHead,
  { pool, settings }: Pick<RouteEntry, 'pool'> & { readonly settings: Pick<RouteSettings, 'tier'> },
  peer: Peer,
  tools: PlaceTools,
): Features | string {
  const { tiers } = pool.settings;
  const needsTier = tiers !== undefined && tiers.length > 0;
  if (pool.hash === undefined && !pool.asksWhere && !needsTier && pool.sticky === undefined)
    return NO_FEATURES;
  const key = pool.hash === undefined ? 0 : keyOfHead(head, peer, pool.hash, tools.peers);
  const tier = detectTier(tiers, settings.tier, claimsOf(head));
  if (typeof tier === 'string') return tier;
  const from = pool.asksWhere ? placeOfHead(head, pool.settings, peer, tools) : undefined;
  return featuresWith(pool.sticky?.visitHead(head, peer, tools.peers), { key, tier, from }, tiers);
}

/** Where such a request's tier is found, if it has one. */
export function tierSource(head: RequestHead, { query, header }: TierDetection = NOWHERE): TierSource {
  const claims = claimsOf(head);
  if (query !== undefined && claims.query(query) !== undefined) return 'query';
  return header !== undefined && claims.header(header) !== undefined ? 'header' : 'default';
}

const NOWHERE: TierDetection = { fieldBytesMax: 0 };

function claimsOf(head: RequestHead): TierClaims {
  return {
    // Whoever wants it from the body sends requests through the plugin lane.
    field: () => undefined,
    query: (name) => queryParameter(head.text.slice(head.pathEnd, head.targetEnd), name),
    header: (name) => headerOf(head, name),
  };
}

/** The first of that name in the query that `target`, or what is left of it, ends with; undefined without one. */
export function queryParameter(target: string, name: string): string | undefined {
  const start = target.indexOf('?');
  return start < 0 ? undefined : (new URLSearchParams(target.slice(start + 1)).get(name) ?? undefined);
}
