import { type ParseArgsConfig, parseArgs } from 'node:util';
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
  json: { type: 'boolean' },
} as const satisfies Options;

/** Options that say who wants a change and why. */
export const CHANGE_OPTIONS = {
  ...ADMIN_OPTIONS,
  reason: { type: 'string' },
  id: { type: 'string' },
  'if-revision': { type: 'string' },
} as const satisfies Options;

/** Parses arguments; anything unknown is a UsageError. */
export function parse<const O extends Options>(args: readonly string[], options: O) {
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

/** A number given as an option; undefined when it was not. */
export function numberOption(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0) {
    throw new UsageError(`--${name} takes a number that is not negative, not ${text}`);
  }
  return value;
}
