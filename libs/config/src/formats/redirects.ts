import { REDIRECT_STATUSES } from '@usher/domain';
import type { Place } from '../fault.ts';
import type { Input } from '../input/input.ts';
import { parseUrlTemplate } from '../types/header-template.ts';
import { Refusal } from '../types/type.ts';
import { map, value } from './draft.ts';
import type { Remarks } from './remarks.ts';

/** Where another system sends clients: to the same URL over TLS those who came without it, or all of them. */
export type ForeignRedirect =
  | { readonly kind: 'https'; readonly status: number; readonly at: Place }
  | { readonly kind: 'to'; readonly to: string; readonly status: number; readonly at: Place };

/** What `https` of Usher answers. */
const HTTPS_STATUS = 308;
/** The same URL over TLS. */
export const SAME_OVER_TLS = 'https://{host}{path}{query}';

/** Why Usher has no such redirect; undefined when it does. */
export function redirectFault(to: string, status: number): string | undefined {
  if (!REDIRECT_STATUSES.some((known) => known === status))
    return `clients are sent elsewhere by ${REDIRECT_STATUSES.join(', ')}`;
  const parsed = parseUrlTemplate(to);
  return parsed instanceof Refusal ? parsed.message : undefined;
}

export function redirectInput(redirect: ForeignRedirect, path: string, remarks: Remarks): Input {
  const { at, status } = redirect;
  if (redirect.kind === 'to') return map({ to: value(redirect.to, at), status: value(status, at) }, at);
  if (status !== HTTPS_STATUS)
    remarks.changed(path, at, `the status is ${HTTPS_STATUS}, which keeps the method`);
  return value('https', at);
}
