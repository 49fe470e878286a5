import type { AdminSettings, AdminToken } from '../settings.ts';
import { list, mapped, wordOr } from '../types/collections.ts';
import { id } from '../types/names.ts';
import { listenAddress, network } from '../types/network.ts';
import { oneOf } from '../types/scalar.ts';
import { plainSecret } from '../types/secret.ts';
import { defaulted, optional, required, section } from '../types/section.ts';
import type { Type } from '../types/type.ts';

const token: Type<AdminToken> = section({
  name: required({ to: 'name', type: id, doc: 'Who uses the token; it is written into what they change.' }),
  secret: required({
    to: 'secret',
    type: plainSecret('the text of the token'),
    doc: 'The token itself. Better a reference, `env:NAME` or `file:path`, than written out.',
  }),
  role: required({
    to: 'role',
    type: oneOf(['read', 'operate', 'admin', 'agent']),
    doc: '`read` looks, `operate` also drains, enables, disables and weighs, `admin` may do everything. `agent` may report for one backend, register it and take it away again, and nothing else.',
  }),
  backend: optional('not an agent', {
    to: 'backend',
    type: id,
    doc: 'The backend that a token with the role `agent` speaks for.',
    why: 'Whoever gets hold of the token can tell lies about this backend only.',
  }),
});

const keys = section({
  address: defaulted('127.0.0.1:9091', {
    to: 'address',
    type: listenAddress,
    doc: 'Where the admin API and the console listen.',
    why: 'On this machine only, so that it needs no token to try things out.',
  }),
  tokens: defaulted([], {
    to: 'tokens',
    type: list(token),
    doc: 'Who may use the API. Without any, everyone on this machine may, and another address than a loopback one is refused.',
  }),
  allow: defaulted(['0.0.0.0/0', '::/0'], {
    to: 'allow',
    type: list(network, { min: 1 }),
    doc: 'Networks that may connect, in CIDR notation.',
    why: 'The address and the tokens already keep others out; this narrows further.',
  }),
});

/** The admin API and console, or `none`. Address and the rest become one level. */
export const admin: Type<AdminSettings | null> = wordOrNothing(
  mapped(keys, ({ address, ...others }): AdminSettings => ({ ...address, ...others })),
);

export const metrics = wordOrNothing(
  mapped(
    section({
      address: defaulted('127.0.0.1:9090', {
        to: 'address',
        type: listenAddress,
        doc: 'Where `/metrics` (Prometheus) and `/health` listen.',
      }),
    }),
    ({ address }) => ({ ...address }),
  ),
);

/** `none` switches it off. */
function wordOrNothing<T>(type: Type<T>): Type<T | null> {
  return mapped(wordOr('none', type), (value) => (value === 'none' ? null : value));
}
