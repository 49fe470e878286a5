import {
  type CanarySettings,
  exceedsWhole,
  type MirrorSettings,
  type RouteSettings,
  type SplitSettings,
} from '@usher/domain';
import { list, mapped } from '../types/collections.ts';
import { fieldName, id } from '../types/names.ts';
import { oneOf, text } from '../types/scalar.ts';
import { defaulted, optional, required, section } from '../types/section.ts';
import { refuse, type Type } from '../types/type.ts';
import { percentage } from '../types/units.ts';

const SEE = 'See [arms](../arms.md).';

/** What a header or a cookie can carry. */
const VALUE = /^[!-:<-~]{1,256}$/;

const shown = text({
  expects: 'a value without spaces',
  standIn: '',
  parse: (found) => (VALUE.test(found) ? found : refuse('it has characters that a cookie cannot carry')),
});

const canaryKeys = section({
  header: optional('that of a cookie', {
    to: 'header',
    type: fieldName,
    doc: 'Name of a header, in any case. Either this or `cookie`.',
  }),
  cookie: optional('that of a header', { to: 'cookie', type: fieldName, doc: 'Name of a cookie.' }),
  value: optional('any but the empty one', {
    to: 'value',
    type: shown,
    doc: 'The value that it must have, exactly.',
  }),
  pool: required({ to: 'pool', type: id, doc: 'Pool that serves such requests.' }),
});

const canary = mapped(
  canaryKeys,
  (given, _path, reading): CanarySettings => {
    const { header, cookie, value, pool } = given;
    if ((header === undefined) === (cookie === undefined))
      reading.complain(given, cookie === undefined ? '' : 'cookie', 'this needs either header or cookie');
    const what = { ...(value === undefined ? {} : { value }), pool };
    return header === undefined
      ? { by: 'cookie', name: cookie ?? '', ...what }
      : { by: 'header', name: header.toLowerCase(), ...what };
  },
  ({ by, name, ...what }) => ({ [by]: name, ...what }),
);

const share = section({
  pool: required({ to: 'pool', type: id, doc: 'Pool that serves the share.' }),
  share: required({
    to: 'share',
    type: percentage,
    doc: "Its part of the route's requests. What the shares leave goes to the `pool` of the route.",
  }),
});

const splitKeys = section({
  by: defaulted('chance', {
    to: 'by',
    type: oneOf(['chance', 'ip', 'header', 'cookie']),
    doc: '`chance`: each request by itself. Otherwise all requests of a user go the same way: `ip`, by the address of the client, as told by `trusted_proxies` in X-Forwarded-For; `header` and `cookie`, by the value of the one with that `name`, and without one by the address.',
  }),
  name: optional('must be given for `header` and `cookie`', {
    to: 'name',
    type: fieldName,
    doc: 'Name of the header, in any case, or of the cookie.',
  }),
  pools: required({
    to: 'pools',
    type: list(share, { min: 1 }),
    doc: 'The other pools with their shares, together 100% or less.',
  }),
});

const split: Type<SplitSettings> = mapped(
  splitKeys,
  (given, _path, reading): SplitSettings => {
    const { by, name, pools } = given;
    if (exceedsWhole({ pools })) reading.complain(given, 'pools', 'the shares are more than 100%');
    const named = by === 'header' || by === 'cookie';
    if (named && name === undefined) reading.complain(given, 'by', `this needs name: which ${by}?`);
    if (!named && name !== undefined) reading.complain(given, 'name', `has no meaning when by is ${by}`);
    if (by === 'chance') return { pools };
    if (by === 'ip') return { by: { by }, pools };
    return { by: { by, name: by === 'header' ? (name ?? '').toLowerCase() : (name ?? '') }, pools };
  },
  ({ by, pools }) => ({ ...(by ?? { by: 'chance' as const }), pools }),
);

const mirror: Type<MirrorSettings> = section({
  pool: required({ to: 'pool', type: id, doc: 'Pool that gets the copies.' }),
  share: defaulted('100%', {
    to: 'share',
    type: percentage,
    doc: "Of how many of the route's requests there is a copy.",
  }),
});

/** The keys of a route that send some of its requests to other pools. */
export const ARM_KEYS = {
  canaries: optional('nobody asks for another pool', {
    to: 'canaries',
    type: list(canary, { min: 1 }),
    doc: `Requests with a header or a cookie that go to another pool, the first that fits, whatever \`split\` says. ${SEE}`,
  }),
  split: optional('all requests go to `pool`', {
    to: 'split',
    type: split,
    doc: `Parts of the route's requests that go to other pools. ${SEE}`,
  }),
  mirror: optional('no copies', {
    to: 'mirror',
    type: mirror,
    doc: `A pool that gets copies of requests, of all methods, whose answers are thrown away. ${SEE}`,
  }),
};

/** A pool that a route names, with where it does. */
export interface NamedPool {
  readonly pool: string;
  /** What names it. */
  readonly by: object;
}

/** All pools that a route names, once for each place. */
export function namedPools(route: RouteSettings): NamedPool[] {
  const others = [
    ...(route.canaries ?? []),
    ...(route.split?.pools ?? []),
    ...(route.mirror === undefined ? [] : [route.mirror]),
  ];
  return [route, ...others].flatMap((by) => (by.pool === undefined ? [] : { pool: by.pool, by }));
}
