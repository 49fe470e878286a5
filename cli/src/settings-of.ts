import { UsageError } from './io.ts';

/**
 * Settings from texts such as `breaker.failures=3`: a value is JSON, or else the text itself. What lies deeper is changed in a
 * copy of what `base` has there. Throws UsageError.
 */
export function settingsOf(texts: readonly string[], base: object): Record<string, unknown> {
  const settings: Record<string, unknown> = {};
  for (const text of texts) {
    const equals = text.indexOf('=');
    const path = text.slice(0, Math.max(0, equals)).split('.');
    if (equals < 1 || path.some((name) => name === ''))
      throw new UsageError(`a setting is KEY=VALUE such as breaker.failures=3, not ${text}`);
    put(settings, base, path, valueOf(text.slice(equals + 1)));
  }
  return settings;
}

function put(
  settings: Record<string, unknown>,
  base: unknown,
  path: readonly string[],
  value: unknown,
): void {
  const [name = '', ...deeper] = path;
  if (deeper.length === 0) {
    settings[name] = value;
    return;
  }
  const below = isObject(base) && Object.hasOwn(base, name) ? base[name] : undefined;
  const known = Object.hasOwn(settings, name) ? settings[name] : below;
  const copy = isObject(known) ? { ...known } : {};
  put(copy, known, deeper, value);
  settings[name] = copy;
}

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
