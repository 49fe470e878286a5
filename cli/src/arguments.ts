import { type ParseArgsConfig, parseArgs } from 'node:util';
import type { Place } from '@usher/domain';
import { UsageError } from './io.ts';

type Options = NonNullable<ParseArgsConfig['options']>;

/** Options that name a configuration, taken by every command that needs one. */
export const CONFIG_OPTIONS = {
  config: { type: 'string', short: 'c' },
  set: { type: 'string', multiple: true },
} as const satisfies Options;

/** Options of every verb that talks to a running system. */
export const ADMIN_OPTIONS = {
  ...CONFIG_OPTIONS,
  admin: { type: 'string' },
  token: { type: 'string' },
  ca: { type: 'string' },
  cert: { type: 'string' },
  key: { type: 'string' },
  timeout: { type: 'string' },
  json: { type: 'boolean' },
} as const satisfies Options;

/** Options that say who wants a change and why. */
export const CHANGE_OPTIONS = {
  ...ADMIN_OPTIONS,
  reason: { type: 'string' },
  id: { type: 'string' },
  'if-revision': { type: 'string' },
} as const satisfies Options;

/** Parses the options of a verb that takes nothing else; anything unknown is a UsageError. */
export function parse<const O extends Options>(args: readonly string[], options: O) {
  const { values, positionals } = parseMixed(args, options);
  if (positionals.length > 0) throw new UsageError(`unexpected argument: ${positionals.join(' ')}`);
  return values;
}

/** Parses options among other arguments; an unknown option is a UsageError. */
export function parseMixed<const O extends Options>(args: readonly string[], options: O) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

/** The one positional argument that a verb needs. */
export function onlyPositional(positionals: readonly string[], what: string): string {
  const [first, ...more] = positionals;
  if (first === undefined) throw new UsageError(`${what} is missing`);
  if (more.length > 0) throw new UsageError(`unexpected argument: ${more.join(' ')}`);
  return first;
}

/** A whole number given as an option, at most `max`; undefined when it was not given. */
export function wholeOption(
  name: string,
  text: string | undefined,
  max: number = Number.MAX_SAFE_INTEGER,
): number | undefined {
  const value = numberOption(name, text);
  if (value !== undefined && (!Number.isInteger(value) || value > max)) {
    throw new UsageError(`--${name} takes a whole number from 0 to ${max}, not ${text}`);
  }
  return value;
}

/** A place given as an option, in degrees; undefined when it was not. */
export function placeOption(name: string, text: string | undefined): Place | undefined {
  if (text === undefined) return undefined;
  const [latitude, longitude, ...more] = text
    .split(',')
    .map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  const known = more.length === 0 && latitude !== undefined && longitude !== undefined;
  if (known && Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180) return { latitude, longitude };
  throw new UsageError(`--${name} takes degrees such as 52.52,13.40 or =-33.87,151.21, not ${text}`);
}

/** A URL of HTTP given as an option. */
export function httpUrlOption(name: string, text: string): string {
  const url = URL.parse(text);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw new UsageError(`--${name} takes a URL such as http://127.0.0.1:9091, not ${text}`);
  }
  return text;
}

/** A number given as an option; undefined when it was not. */
export function numberOption(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0) {
    throw new UsageError(`--${name} takes a number that is not negative, not ${text}`);
  }
  return value;
}
