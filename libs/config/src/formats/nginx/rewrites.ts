import type { Place } from '../../fault.ts';
import type { Input } from '../../input/input.ts';
import { map, value } from '../draft.ts';
import type { ForeignRedirect } from '../redirects.ts';
import type { Remarks } from '../remarks.ts';
import { redirectOf } from './answers.ts';
import type { Directive, Word } from './directives.ts';

/** `^/old/(.*)$` and the like: the beginning of a path, and perhaps the rest of it. */
const PREFIX = /^\^(?<prefix>(?:\/[\w.~%-]+)*)(?<slash>\/?\??)(?<rest>\(\.\*\))?(?<end>\$?)$/;
/** A beginning of a path that could be read in one way only. */
const PLAIN = /^(?:\/(?!\.{1,2}(?:\/|$))[\w.~%-]+)+$/;
const REST = '$1';
const FOUND = 302;
const STATUSES: ReadonlyMap<string, number> = new Map([
  ['permanent', 301],
  ['redirect', 302],
]);

interface Pattern {
  /** Without a slash at its end. */
  readonly prefix: string;
  /** What stands before `$1` in a replacement that keeps the rest of the path; undefined where the rest goes. */
  readonly joint: string | undefined;
  /** The path is the prefix. */
  readonly isExact: boolean;
}

interface Rewrites {
  /** Where clients are sent, by path; those without one are for the whole block. */
  readonly redirects: readonly { readonly path: string | undefined; readonly redirect: ForeignRedirect }[];
  /** How the path changes on its way to a backend. */
  readonly rewrite: Input | undefined;
}

const UNKNOWN = 'only beginnings of paths are known, such as ^/old/(.*)$, and what stands for them';

/** What `rewrite` of a location, or of a server, becomes. */
export function rewritesOf(
  block: readonly Directive[],
  where: 'server' | 'location',
  names: readonly string[],
  remarks: Remarks,
): Rewrites {
  const redirects: Rewrites['redirects'][number][] = [];
  let rewrite: Input | undefined;
  for (const { name, args, at } of block) {
    if (name !== 'rewrite') continue;
    const [regex, replacement, flag] = args;
    const pattern = patternOf(regex?.text ?? '');
    const written = replacement?.text ?? '';
    const status =
      STATUSES.get(flag?.text ?? '') ?? (/^(https?:\/\/|\$scheme)/.test(written) ? FOUND : undefined);
    if (pattern !== undefined && status !== undefined) {
      const url = urlOf(pattern, written);
      const redirect = url === undefined ? undefined : redirectOf(url, status, at, names, remarks);
      if (url === undefined) remarks.lost(name, at, UNKNOWN);
      if (redirect !== undefined) redirects.push({ path: pathOf(pattern), redirect });
    } else {
      const made = where === 'location' && rewrite === undefined ? prefixes(pattern, replacement) : undefined;
      rewrite ??= made;
      if (made === undefined) remarks.lost(name, at, where === 'server' ? SERVERS : UNKNOWN);
      else if (flag?.text !== 'break') remarks.changed(name, at, 'the request stays in this location');
    }
  }
  return { redirects, rewrite };
}

const SERVERS = 'paths change within locations only, on the way to a backend';

function patternOf(regex: string): Pattern | undefined {
  const groups = PREFIX.exec(regex.replaceAll('\\.', '.'))?.groups;
  if (groups === undefined) return undefined;
  const { prefix = '', slash = '', rest, end } = groups;
  const isExact = rest === undefined && end === '$';
  if (slash.endsWith('?') || (isExact && slash !== '')) return undefined;
  return { prefix, joint: rest === undefined ? undefined : slash, isExact };
}

function pathOf({ prefix, isExact }: Pattern): string | undefined {
  if (isExact) return prefix === '' ? '/' : prefix;
  return prefix === '' ? undefined : `${prefix}/*`;
}

/** Where clients are sent; undefined when it has a part of their path. nginx puts the query behind it, unless a question mark is there. */
function urlOf({ prefix, joint }: Pattern, written: string): string | undefined {
  const bare = written.replace(/\?$/, '');
  const query = bare === written && !written.includes('?') ? '$is_args$args' : '';
  if (!bare.includes('$1'))
    return /\$[2-9]/.test(bare) || bare.includes('$request_uri') ? bare : bare + query;
  const kept = `${prefix}${joint ?? ''}${REST}`;
  const whole =
    joint !== undefined && bare.endsWith(kept) && bare.indexOf(REST) === bare.length - REST.length;
  return whole ? `${bare.slice(0, -kept.length)}$uri${query}` : undefined;
}

/** `strip` and `add` of Usher. */
function prefixes(pattern: Pattern | undefined, replacement: Word | undefined): Input | undefined {
  if (pattern?.joint === undefined || replacement === undefined) return undefined;
  const kept = pattern.joint + REST;
  const add = replacement.text.slice(0, -kept.length);
  return replacement.text.endsWith(kept) ? rewriteInput(pattern.prefix, add, replacement.at) : undefined;
}

/** Undefined when it changes nothing, or cannot be said. */
export function rewriteInput(strip: string, add: string, at: Place): Input | undefined {
  const isPlain = [strip, add].every((part) => part === '' || PLAIN.test(part));
  if (!isPlain || strip === add) return undefined;
  return map({
    strip: strip === '' ? undefined : value(strip, at),
    add: add === '' ? undefined : value(add, at),
  });
}
