import type { Input } from '../../input/input.ts';
import type { ForeignRedirect } from '../redirects.ts';
import type { Remarks } from '../remarks.ts';
import { clientsAt } from './access.ts';
import { compressionOf } from './compression.ts';
import { headerEditsAt } from './headers.ts';
import type { Spot } from './places.ts';
import { redirectAt } from './redirects.ts';
import type { Rule, Transport } from './rules.ts';
import type { Section } from './sections.ts';

/** What is asked of the requests for a place, and what changes in them and in their answers. */
export interface Policy {
  readonly redirect: ForeignRedirect | undefined;
  /** Keys of its route. */
  readonly more: Readonly<Record<string, Input | undefined>>;
}

/** Who decides about the requests for a place: first a section with addresses, then perhaps one with servers. */
export interface Deciders {
  readonly sections: readonly Section[];
  readonly rules: readonly (readonly Rule[])[];
  readonly transport: Transport;
}

export function policyAt({ sections, rules, transport }: Deciders, spot: Spot, remarks: Remarks): Policy {
  const inward = rules.flat();
  // An answer comes the other way.
  const outward = rules.toReversed().flat();
  return {
    redirect: redirectAt(inward, spot, transport, remarks),
    more: {
      clients: clientsAt(inward, spot, transport, remarks),
      request_headers: headerEditsAt('request', inward, spot, transport, remarks),
      response_headers: headerEditsAt('response', outward, spot, transport, remarks),
      plugins: compressionOf(sections, remarks),
    },
  };
}
