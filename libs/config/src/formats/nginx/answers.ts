import type { Place } from '../../fault.ts';
import { type ForeignRedirect, redirectFault, SAME_OVER_TLS } from '../redirects.ts';
import type { Remarks } from '../remarks.ts';
import type { Directive } from './directives.ts';
import { urlTemplateOf } from './templates.ts';

/** What nginx answers itself, without a backend. */
export type Answer =
  | ForeignRedirect
  /** Nobody is served there. */
  | { readonly kind: 'closed'; readonly status: typeof FORBIDDEN | typeof UNAVAILABLE; readonly at: Place };

export const FORBIDDEN = 403;
const UNAVAILABLE = 503;
const FOUND = 302;

/** What `return` of a block answers; undefined without one, and, with a word about it, when Usher has no such answer. */
export function answerOf(
  block: readonly Directive[],
  names: readonly string[],
  remarks: Remarks,
): Answer | undefined {
  const directive = block.find(({ name }) => name === 'return');
  if (directive === undefined) return undefined;
  const { args, at } = directive;
  const [first = '', second] = args.map(({ text }) => text);
  const status = /^[0-9]{3}$/.test(first) ? Number(first) : FOUND;
  if (status >= 300 && status < 400)
    return redirectOf(
      status === FOUND && first !== String(FOUND) ? first : (second ?? ''),
      status,
      at,
      names,
      remarks,
    );
  if (status < 300) {
    remarks.lost('return', at, 'Usher has no answers of its own, so another location or a backend answers');
    return undefined;
  }
  const kept = status < 500 ? FORBIDDEN : UNAVAILABLE;
  if (status !== kept) remarks.changed('return', at, `the status is ${kept}`);
  return { kind: 'closed', status: kept, at };
}

export function redirectOf(
  url: string,
  status: number,
  at: Place,
  [name, ...others]: readonly string[],
  remarks: Remarks,
): ForeignRedirect | undefined {
  const to = urlTemplateOf(url, name);
  const fault = to === undefined ? 'it has variables that Usher has not' : redirectFault(to, status);
  if (to === undefined || fault !== undefined) {
    remarks.lost('return', at, fault ?? '');
    return undefined;
  }
  // A server with one name is asked for no other host.
  const own = name !== undefined && others.length === 0 ? SAME_OVER_TLS.replace('{host}', name) : undefined;
  return to === own ? { kind: 'to', to: SAME_OVER_TLS, status, at } : { kind: 'to', to, status, at };
}
