import { canonicalJson } from './canonical-json.ts';
import { REDACTED, tellsSecret } from './secret-name.ts';

/** One value that differs between two states. */
export interface Change {
  /** Where it is, such as `pools.web.strategy`. */
  readonly path: string;
  /** What it was; absent when it was not there. */
  readonly before?: unknown;
  /** What it is; absent when it is not there any more. */
  readonly after?: unknown;
}

/**
 * What differs between two values, member by member and in the order of their paths; lists are told as a whole. Of what
 * may be a secret only that it differs is told.
 */
export function changesBetween(before: unknown, after: unknown): Change[] {
  const changes: Change[] = [];
  collect([], before, after, changes);
  return changes;
}

function collect(path: readonly string[], before: unknown, after: unknown, changes: Change[]): void {
  if (isObject(before) && isObject(after)) {
    const names = new Set([...Object.keys(before), ...Object.keys(after)]);
    for (const name of [...names].toSorted()) collect([...path, name], before[name], after[name], changes);
    return;
  }
  // Alone, what is absent has no JSON; in a list it would be taken for null.
  if (canonicalJson({ before }) === canonicalJson({ before: after })) return;
  const hidden = path.some((name) => tellsSecret(name)) || path.includes('headers');
  const show = (value: unknown) => (hidden ? REDACTED : withoutSecrets(value));
  changes.push({
    path: path.join('.'),
    ...(before === undefined ? {} : { before: show(before) }),
    ...(after === undefined ? {} : { after: show(after) }),
  });
}

function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (!isObject(value)) return value;
  const shown = Object.entries(value).map(([name, inner]) => {
    if (tellsSecret(name)) return [name, REDACTED];
    // Names of headers tell nothing of what is in them.
    return [name, name === 'headers' && isObject(inner) ? REDACTED : withoutSecrets(inner)];
  });
  return Object.fromEntries(shown);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
