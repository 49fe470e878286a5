import type { Remarks } from '../remarks.ts';
import type { Directive, Word } from './directives.ts';
import { NGINX_DIRECTIVES } from './table.ts';

/** Blocks from the innermost outwards; a directive of an inner one hides those of outer ones. */
export type Scopes = readonly (readonly Directive[])[];

/** The directives of a name in the innermost block that has any. */
export function inForce(name: string, scopes: Scopes): readonly Directive[] {
  for (const block of scopes) {
    const found = block.filter((directive) => directive.name === name);
    if (found.length > 0) return found;
  }
  return [];
}

/** The first word of a directive in force. */
export function wordOf(name: string, scopes: Scopes): Word | undefined {
  return inForce(name, scopes)[0]?.args[0];
}

/** Headers towards backends that Usher sends by itself. */
const OWN_HEADERS = new Set([
  'host',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'upgrade',
  'connection',
]);

export function isOwnHeader(name: string): boolean {
  return OWN_HEADERS.has(name.toLowerCase());
}

export function isKnown({ name }: Directive): boolean {
  return Object.hasOwn(NGINX_DIRECTIVES, name);
}

/** Says what is missed of a directive that nothing stands for. */
export function remarkOnLost({ name, args, at }: Directive, remarks: Remarks): void {
  const message = NGINX_DIRECTIVES[name]?.lost;
  if (message === undefined) return;
  const first = args[0]?.text.toLowerCase() ?? '';
  if (first === 'off') return;
  if (name === 'include' && first.endsWith('mime.types')) return;
  remarks.lost(name, at, message);
}
