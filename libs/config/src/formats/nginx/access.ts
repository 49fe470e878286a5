import { isIP } from 'node:net';
import type { Input } from '../../input/input.ts';
import { map, series, value } from '../draft.ts';
import type { Directive, Word } from './directives.ts';
import type { Scopes } from './scopes.ts';

const RULES = new Set(['allow', 'deny']);
const ALL = 'all';

/**
 * What `allow` and `deny` become: undefined without any, `nobody` where all are denied, `closed` where it cannot be said in two
 * lists of which denying wins.
 * In nginx the first rule that fits counts, and those of an inner block hide all of the outer ones.
 */
export function clientsOf(scopes: Scopes): Input | 'nobody' | 'closed' | undefined {
  const rules = scopes.map(rulesIn).find((found) => found.length > 0) ?? [];
  const [first] = rules;
  if (first === undefined) return undefined;
  const allow: Input[] = [];
  const deny: Input[] = [];
  for (const { name, args } of rules) {
    const [word] = args;
    if (word?.text === ALL) {
      if (name === 'allow') return listed([], deny, first);
      return allow.length === 0 ? 'nobody' : listed(allow, deny, first);
    }
    const network = networkOf(word);
    // Whom an earlier rule lets in would be kept out, as denying wins.
    if (network === undefined || (name === 'deny' && allow.length > 0)) return 'closed';
    (name === 'allow' ? allow : deny).push(network);
  }
  // Whom no rule fits is let in.
  return listed([], deny, first);
}

function rulesIn(block: readonly Directive[]): Directive[] {
  return block.filter(({ name }) => RULES.has(name));
}

function listed(allow: readonly Input[], deny: readonly Input[], { at }: Directive): Input | undefined {
  if (allow.length === 0 && deny.length === 0) return undefined;
  return map(
    {
      allow: allow.length === 0 ? undefined : series(allow),
      deny: deny.length === 0 ? undefined : series(deny),
    },
    at,
  );
}

function networkOf(word: Word | undefined): Input | undefined {
  const [address = '', bits] = word?.text.split('/') ?? [];
  const family = isIP(address);
  if (family === 0) return undefined;
  return value(`${address}/${bits ?? (family === 4 ? 32 : 128)}`, word?.at);
}
