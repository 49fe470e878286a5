/** Where a value comes from: a place in a file (line 0 = the file as a whole), an override, or a default. */
export type Place =
  | { readonly kind: 'file'; readonly file: string; readonly line: number; readonly column: number }
  | { readonly kind: 'override'; readonly label: string; readonly path: string }
  | { readonly kind: 'default' };

export const DEFAULT_PLACE: Place = { kind: 'default' };

/** One thing that is wrong with a configuration. Never contains a secret. */
export interface Fault {
  readonly place: Place;
  /** The key, such as `pools.web.backends[0].url`; empty when the file as a whole is wrong. */
  readonly path: string;
  readonly message: string;
  /** What was probably meant. */
  readonly suggestion?: string | undefined;
}

/** A configuration that cannot be used, with everything that is wrong with it, in the order of the file. */
export class ConfigError extends Error {
  readonly faults: readonly Fault[];

  constructor(faults: readonly Fault[]) {
    const sorted = faults.toSorted(byPlace);
    super(sorted.map(formatFault).join('\n'));
    this.name = 'ConfigError';
    this.faults = sorted;
  }
}

/** `file:line:column`, `env NAME`, `flag --set key` or `default`. */
export function formatPlace(place: Place): string {
  if (place.kind === 'default') return 'default';
  if (place.kind === 'override') return place.label;
  return place.line === 0 ? place.file : `${place.file}:${place.line}:${place.column}`;
}

/** `path: what, did you mean "…"?`. */
export function formatWithoutPlace({ path, message, suggestion }: Fault): string {
  return `${path}: ${message}${hint(suggestion)}`;
}

function hint(suggestion: string | undefined): string {
  return suggestion === undefined ? '' : `, did you mean ${JSON.stringify(suggestion)}?`;
}

/** `file:line:column path: what, did you mean "…"?`. An override names its key itself, so only what is deeper is added. */
export function formatFault(fault: Fault): string {
  const { place, path, message, suggestion } = fault;
  const named = path === '' || (place.kind === 'override' && place.path === path);
  return `${formatPlace(place)}${named ? '' : ` ${path}`}: ${message}${hint(suggestion)}`;
}

function byPlace(a: Fault, b: Fault): number {
  return comparePlaces(a.place, b.place) || a.path.localeCompare(b.path, 'en');
}

/** The order in which places are told. */
export function comparePlaces(a: Place, b: Place): number {
  return rank(a) - rank(b) || compareInFile(a, b);
}

/** Faults of the file come first, because overrides are read as corrections of it. */
function rank(place: Place): number {
  return place.kind === 'file' ? 0 : 1;
}

function compareInFile(a: Place, b: Place): number {
  if (a.kind !== 'file' || b.kind !== 'file') return formatPlace(a).localeCompare(formatPlace(b), 'en');
  return a.line - b.line || a.column - b.column;
}
