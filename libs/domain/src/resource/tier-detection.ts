import type { TierDetection } from '../settings.ts';
import type { Tier } from './tier.ts';

/** So much of a name that is none is repeated to whom gave it. */
const NAME_SHOWN_MAX = 64;

/** What a request says of its tier, by where it says it; asked for only as long as nothing was found. */
export interface TierClaims {
  /** What a field of the body's JSON object is; undefined when there is none, or it is no string. */
  field(name: string): string | undefined;
  query(name: string): string | undefined;
  header(name: string): string | undefined;
}

/**
 * Index of the tier of a request. A pool without tiers has only the one that needs nothing, 0. Otherwise the answer is a
 * sentence about what is wrong, when the request names a tier that the pool has not, or none where it has to.
 */
export function detectTier(
  tiers: readonly Tier[] | undefined,
  detection: TierDetection | undefined,
  claims: TierClaims,
): number | string {
  if (tiers === undefined || tiers.length === 0) return 0;
  const { field, query, header, default: usual } = detection ?? {};
  const name =
    (field === undefined ? undefined : claims.field(field)) ??
    (query === undefined ? undefined : claims.query(query)) ??
    (header === undefined ? undefined : claims.header(header)) ??
    usual;
  if (name === undefined) return 'the request names no tier';
  const index = tiers.findIndex((tier) => tier.name === name);
  return index >= 0 ? index : `there is no tier ${JSON.stringify(name.slice(0, NAME_SHOWN_MAX))}`;
}

/** The string in a field of the JSON object in `text`; undefined when it is no such object, or the field no string. */
export function jsonField(text: string, name: string): string | undefined {
  try {
    return fieldOf(JSON.parse(text), name);
  } catch {
    return undefined;
  }
}

/** The same of a value that was parsed. */
export function fieldOf(value: unknown, name: string): string | undefined {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  const found: unknown = Reflect.get(value, name);
  return typeof found === 'string' ? found : undefined;
}
