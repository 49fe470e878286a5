import { RATE_SCOPES, type RateLimitSettings } from '@usher/domain';
import { mapped } from '../types/collections.ts';
import { fieldName } from '../types/names.ts';
import { rate } from '../types/rate.ts';
import { oneOf, wholeNumber } from '../types/scalar.ts';
import { defaulted, optional, required, section } from '../types/section.ts';
import type { Type } from '../types/type.ts';

const keys = section({
  by: defaulted('ip', {
    to: 'by',
    type: oneOf(['ip', 'header', 'route', 'global']),
    doc: 'Whose requests are counted together. `ip`: those of a client by its address, as told by `trusted_proxies` in X-Forwarded-For; an IPv6 client is its /64 network. `header`: those with one value of the header with that `name`; one without it counts by its address. `route`: all of a route. `global`: all that the limit is for.',
  }),
  name: optional('must be given for `header`', {
    to: 'name',
    type: fieldName,
    doc: 'Name of the header, in any case.',
  }),
  rate: required({
    to: 'rate',
    type: rate,
    doc: 'How many requests may pass in how much time, such as `100/s`, `30/m` or `5/10s`.',
  }),
  burst: optional('the number in `rate`', {
    to: 'burst',
    type: wholeNumber({ min: 1, max: 10_000_000 }),
    doc: 'How many may pass at once after a time without any.',
  }),
  scope: defaulted('fleet', {
    to: 'scope',
    type: oneOf(RATE_SCOPES),
    doc: '`fleet`: all gateways count together, in the `store`; while that is away, each allows its part. `local`: each gateway allows the whole rate.',
    why: 'A limit should not grow with the number of gateways.',
  }),
});

/** How many requests may pass. */
export const rateLimit: Type<RateLimitSettings> = mapped(
  keys,
  (given, _path, reading): RateLimitSettings => {
    const { by, name, rate, burst = rate.requests, scope } = given;
    const counted = { ...rate, burst, scope };
    if (by !== 'header') {
      if (name !== undefined) reading.complain(given, 'name', `has no meaning when by is ${by}`);
      return { by, ...counted };
    }
    if (name === undefined) reading.complain(given, 'by', 'this needs name: which header?');
    return { by, name: (name ?? '').toLowerCase(), ...counted };
  },
  ({ requests, perMs, ...rest }) => ({ ...rest, rate: { requests, perMs } }),
);
