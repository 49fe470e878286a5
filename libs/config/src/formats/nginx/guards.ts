import type { Directive } from './directives.ts';
import { inForce, type Scopes } from './scopes.ts';

/** They keep others out of what is in their block and in those within it, by something that Usher does not ask for. */
const ASKING = [
  'auth_basic',
  'auth_request',
  'auth_jwt',
  'auth_digest',
  'auth_ldap',
  'auth_pam',
  'access_by_lua',
  'access_by_lua_block',
  'access_by_lua_file',
  'js_access',
];
/** They do so for their own block alone. */
const OWN = new Set(['internal', 'limit_except']);

/** What keeps some out of a location and cannot be said in Usher; `allow` and `deny` can, mostly. */
export function guardOf(scopes: Scopes): string | undefined {
  const [block = []] = scopes;
  const own = block.find((directive) => OWN.has(directive.name) || isDenial(directive));
  if (own !== undefined) return own.name;
  return ASKING.flatMap((name) => inForce(name, scopes)).find(({ args }) => args[0]?.text !== 'off')?.name;
}

/** Whether it turns away whom a condition is about. */
export function isDenial({ name, block = [] }: Directive): boolean {
  return (
    name === 'if' && block.some((inner) => inner.name === 'return' && /^[45]/.test(inner.args[0]?.text ?? ''))
  );
}

/** A file that is included may keep others out, unless its name says that it does something else. */
export function mayGuard({ name, args }: Directive): boolean {
  return name === 'include' && !/(?:mime\.types|_params)$/i.test(args[0]?.text ?? '');
}
