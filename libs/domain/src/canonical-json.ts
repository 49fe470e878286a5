/**
 * JSON that equal values share byte for byte: object and map keys in code unit order, sets as sorted arrays, undefined
 * left out. Maps become objects.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(canonical(value));
}

function canonical(value: unknown): unknown {
  if (value instanceof Map) return sorted([...value]);
  if (value instanceof Set) return [...value].map(String).toSorted();
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value === 'object' && value !== null) return sorted(Object.entries(value));
  return value;
}

function sorted(entries: [unknown, unknown][]): Record<string, unknown> {
  const present = entries.filter(([, inner]) => inner !== undefined);
  present.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
  return Object.fromEntries(present.map(([key, inner]) => [String(key), canonical(inner)]));
}
