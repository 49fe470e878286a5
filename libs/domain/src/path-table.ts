const SLASH = 47;
const STAR = 42;
const QUESTION_MARK = 63;

/** Bounds what a look-up can cost: matching a pattern takes at most its length times that of the path. */
export const PATH_PATTERN_LENGTH_MAX = 256;

/**
 * What is wrong with a path pattern; undefined when it is one: `/x` is that path exactly, `/x/*` is `/x` and all below it,
 * and any other pattern is a wildcard in which `*` stands for any characters, `/` and none included, and `?` for one.
 */
export function pathPatternFault(pattern: string): string | undefined {
  if (!pattern.startsWith('/')) return 'a path starts with /';
  if (pattern.length > PATH_PATTERN_LENGTH_MAX) return `longer than ${PATH_PATTERN_LENGTH_MAX} characters`;
  if (!/^[!-~]*$/.test(pattern) || pattern.includes('#'))
    return 'a space, # or character outside ASCII must be percent-encoded';
  return undefined;
}

interface Prefix<V> {
  /** Without the `/*`. */
  readonly prefix: string;
  readonly value: V;
}

interface Wildcard<V> {
  readonly pattern: string;
  /** As written. */
  readonly length: number;
  readonly value: V;
}

/**
 * Values by path patterns. The most specific pattern counts: an exact path before the longest prefix before the longest
 * wildcard, whatever their lengths; among equals the one added first. A look-up allocates nothing.
 */
export class PathTable<V> {
  readonly #exact = new Map<string, V>();
  /** Longest first, as below. */
  readonly #prefixes: Prefix<V>[] = [];
  readonly #wildcards: Wildcard<V>[] = [];

  add(pattern: string, value: V): void {
    const stem = pattern.endsWith('/*') ? pattern.slice(0, -2) : undefined;
    if (stem !== undefined && !isWild(stem)) this.#addPrefix(stem, value);
    else if (isWild(pattern)) this.#addWildcard(pattern, stem, value);
    else if (!this.#exact.has(pattern)) this.#exact.set(pattern, value);
  }

  /** `path` as received, without the query. */
  find(path: string): V | undefined {
    const exact = this.#exact.get(path);
    if (exact !== undefined) return exact;
    for (const { prefix, value } of this.#prefixes) {
      if (isCovered(prefix, path)) return value;
    }
    for (const { pattern, value } of this.#wildcards) if (fits(pattern, path)) return value;
    return undefined;
  }

  #addPrefix(prefix: string, value: V): void {
    if (this.#prefixes.some((entry) => entry.prefix === prefix)) return;
    this.#prefixes.push({ prefix, value });
    this.#prefixes.sort((a, b) => b.prefix.length - a.prefix.length);
  }

  /** `stem`: without a `/*` at the end, which may also stand for nothing, as it does in a prefix. */
  #addWildcard(pattern: string, stem: string | undefined, value: V): void {
    const { length } = pattern;
    this.#wildcards.push({ pattern, length, value });
    if (stem !== undefined) this.#wildcards.push({ pattern: stem, length, value });
    this.#wildcards.sort((a, b) => b.length - a.length);
  }
}

/** `/v1/*` is `/v1` and all below it, but not `/v1x`. The empty prefix takes everything, also `OPTIONS *`. */
export function isCovered(prefix: string, path: string): boolean {
  if (prefix === '') return true;
  return (
    path.startsWith(prefix) && (path.length === prefix.length || path.charCodeAt(prefix.length) === SLASH)
  );
}

function isWild(pattern: string): boolean {
  return pattern.includes('*') || pattern.includes('?');
}

/**
 * Whether a wildcard covers the whole of a path. After a mismatch only the last star takes one character more: what the
 * stars before it took need never change, so no pattern makes it explode as a regular expression could.
 */
function fits(pattern: string, path: string): boolean {
  let at = 0;
  let star = -1;
  let taken = 0;
  for (let index = 0; index < path.length; ) {
    const char = at < pattern.length ? pattern.charCodeAt(at) : 0;
    if (char === STAR) {
      star = at++;
      taken = index;
    } else if (char === QUESTION_MARK || (char !== 0 && char === path.charCodeAt(index))) {
      at++;
      index++;
    } else if (star >= 0) {
      at = star + 1;
      index = ++taken;
    } else {
      return false;
    }
  }
  while (at < pattern.length && pattern.charCodeAt(at) === STAR) at++;
  return at === pattern.length;
}
