import { type AdminSettings, type AdminToken, METRICS_FORMATS, type MetricsSettings } from '../settings.ts';
import { list, mapped, wordOr } from '../types/collections.ts';
import { id, metricsPath } from '../types/names.ts';
import { listenAddress, network } from '../types/network.ts';
import { oneOf, wholeNumber } from '../types/scalar.ts';
import { plainSecret } from '../types/secret.ts';
import { defaulted, optional, required, section } from '../types/section.ts';
import type { Type } from '../types/type.ts';
import { size } from '../types/units.ts';
import { adminJwt } from './admin-jwt.ts';
import { adminTls } from './admin-tls.ts';

const token: Type<AdminToken> = section({
  name: required({ to: 'name', type: id, doc: 'Who uses the token; it is written into what they change.' }),
  secret: required({
    to: 'secret',
    type: plainSecret('the text of the token'),
    doc: 'The token itself, shown as `Authorization: Bearer` or `X-API-Key`. Better a reference, `env:NAME` or `file:path`, than written out. On an address that others reach it has 16 characters or more, and is none that everybody tries.',
  }),
  role: required({
    to: 'role',
    type: oneOf(['read', 'operate', 'admin', 'agent']),
    doc: '`read` looks, `operate` also changes: it drains, weighs, and adds, changes and removes routes, pools and backends, but nothing by which less would be checked. `admin` may do everything. `agent` may report for one backend, register it and take it away again, and nothing else.',
  }),
  backend: optional('not an agent', {
    to: 'backend',
    type: id,
    doc: 'The backend that a token with the role `agent` speaks for.',
    why: 'Whoever gets hold of the token can tell lies about this backend only.',
  }),
});

const limits = section({
  body: defaulted('64KiB', {
    to: 'bodyBytes',
    type: size({ min: '1KiB', max: '16MiB' }),
    doc: 'Largest body of a request; a larger one is answered with 413.',
  }),
  connections: defaulted(256, {
    to: 'connections',
    type: wholeNumber({ min: 1, max: 100_000 }),
    doc: 'Most connections open at once.',
  }),
  connections_per_ip: defaulted(64, {
    to: 'connectionsPerIp',
    type: wholeNumber({ min: 1, max: 100_000 }),
    doc: 'Most connections that one address has open at once; one more is closed. An IPv6 client is its /64 network.',
    why: 'Fewer than there may be in all, so that nobody keeps the others out.',
  }),
  requests_per_second: defaulted(500, {
    to: 'requestsPerS',
    type: wholeNumber({ min: 1, max: 1_000_000 }),
    doc: 'Most requests a second of one address, which may save up those of two seconds; one more is answered with 429.',
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
    doc: 'Who may use the API. Without any, and without `jwt`, everyone on this machine may, and another address than a loopback one is refused.',
  }),
  jwt: optional('only `tokens` are taken', {
    to: 'jwt',
    type: adminJwt,
    doc: 'Takes signed tokens (JWT) of an issuer too.',
  }),
  allow: defaulted(['0.0.0.0/0', '::/0'], {
    to: 'allow',
    type: list(network, { min: 1 }),
    doc: 'Networks that may connect, in CIDR notation.',
    why: 'The address and the tokens already keep others out; this narrows further.',
  }),
  deny: defaulted([], {
    to: 'deny',
    type: list(network),
    doc: 'Networks that may not connect, whatever `allow` says. Both go by the address of the connection; if that is one of `trusted_proxies`, by the last address in `X-Forwarded-For` that is none of them.',
  }),
  tls: optional('plain HTTP', {
    to: 'tls',
    type: adminTls,
    doc: 'Speaks TLS. A changed certificate is taken up without a connection being closed.',
  }),
  limits: defaulted(
    {},
    { to: 'limits', type: limits, doc: 'What callers may take, apart from all other limits.' },
  ),
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
      path: defaulted('/metrics', {
        to: 'path',
        type: metricsPath,
        doc: 'Where metrics are; `/health` and what is below it stay where they are.',
      }),
      format: optional("Usher's own names", {
        to: 'format',
        type: oneOf(METRICS_FORMATS),
        doc: 'What it answers when it is not asked: `connx` has the names of ConnX, `velo` the JSON of Velo. Each is there at any time, as with `/metrics?format=connx`; requests by method and status are counted with `connx` alone.',
      }),
    }),
    ({ address, path, format }): MetricsSettings => ({
      ...address,
      path,
      ...(format === undefined ? {} : { format }),
    }),
  ),
);

/** `none` switches it off. */
function wordOrNothing<T>(type: Type<T>): Type<T | null> {
  return mapped(wordOr('none', type), (value) => (value === 'none' ? null : value));
}
