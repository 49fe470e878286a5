/** A host and a path; what is left out may be anything. */
export interface Match {
  readonly host?: string;
  readonly path?: string;
  /** The other system also takes `/apix` for something below `/api`. */
  readonly meantMore?: boolean;
}

/** More ways than a person writes down. */
const MATCHES_MAX = 1000;
/** A second. */
const COMPARISONS_MAX = 2_000_000;

/** What both of two lists ask for; undefined when that cannot be said by one host and one path each. */
export function both(a: readonly Match[], b: readonly Match[]): readonly Match[] | undefined {
  if (a.length * b.length > MATCHES_MAX) return undefined;
  const matches: Match[] = [];
  for (const one of a) {
    for (const other of b) {
      const clash =
        (one.host !== undefined && other.host !== undefined) ||
        (one.path !== undefined && other.path !== undefined);
      if (clash) return undefined;
      matches.push({ ...one, ...other });
    }
  }
  return matches;
}

/** Whether whatever is in the second place is in the first one. */
export function covers(a: Match, b: Match): boolean {
  return coversHost(a.host, b.host) && coversPath(a.path, b.path);
}

function coversHost(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || a === b) return true;
  return a.startsWith('*.') && b !== undefined && b.replace(/^\*/, '').endsWith(a.slice(1));
}

function coversPath(a = '/*', b = '/*'): boolean {
  if (a === b) return true;
  if (!a.endsWith('/*')) return false;
  const prefix = a.slice(0, -1);
  return b.startsWith(prefix) || b === prefix.slice(0, -1);
}

/** The place that two have in common; undefined when there is none. */
function meet(a: Match, b: Match): { readonly host?: string; readonly path: string } | undefined {
  const host = coversHost(a.host, b.host) ? b.host : coversHost(b.host, a.host) ? a.host : null;
  const path = coversPath(a.path, b.path) ? b.path : coversPath(b.path, a.path) ? a.path : null;
  return host === null || path === null
    ? undefined
    : { ...(host !== undefined && { host }), path: path ?? '/*' };
}

/** A host and a path of which a route may be made. */
export interface Spot {
  readonly host?: string | undefined;
  readonly path: string;
}

/**
 * Cuts places up so that each match has whole ones: beside every place there is what it has in common with a match, and belongs
 * to whoever the larger one belonged to. As the most specific place counts, what is left of the larger one has nothing of the match.
 * Undefined when there would be too many.
 */
export function cutUp<S extends Spot>(
  spots: readonly S[],
  matches: readonly Match[],
): readonly S[] | undefined {
  const cut = new Map(spots.map((spot) => [keyOf(spot), spot]));
  const distinct = new Map(matches.map((match) => [`${match.host ?? ''} ${match.path ?? ''}`, match]));
  let comparisons = 0;
  for (const match of distinct.values()) {
    comparisons += cut.size;
    if (comparisons > COMPARISONS_MAX) return undefined;
    for (const spot of cut.values()) {
      const common = meet(matchOf(spot), match);
      if (common === undefined || cut.has(keyOf(common))) continue;
      comparisons += spots.length;
      if (comparisons > COMPARISONS_MAX) return undefined;
      cut.set(keyOf(common), { ...ownerOf(common, spots, spot), host: common.host, path: common.path });
    }
  }
  return [...cut.values()];
}

function keyOf({ host, path }: Spot): string {
  return `${host ?? ''} ${path}`;
}

/** By host and then by path. */
function ownerOf<S extends Spot>(place: Match, spots: readonly S[], first: S): S {
  return spots
    .filter((spot) => covers(matchOf(spot), place))
    .reduce((best, spot) => (isMoreSpecific(spot, best) ? spot : best), first);
}

function isMoreSpecific(a: Spot, b: Spot): boolean {
  return a.host === b.host ? coversPath(b.path, a.path) : coversHost(b.host, a.host);
}

export function matchOf({ host, path }: Spot): Match {
  return { path, ...(host !== undefined && { host }) };
}
