import { SAME_SITES, SECURE_MODES, type StickySettings } from '@usher/domain';
import type { Reading } from '../reading.ts';
import { list, mapped } from '../types/collections.ts';
import { fieldName } from '../types/names.ts';
import { isHost } from '../types/network.ts';
import { oneOf, text, trueOrFalse } from '../types/scalar.ts';
import { secretReference } from '../types/secret.ts';
import { defaulted, optional, required, section } from '../types/section.ts';
import { refuse, type Type } from '../types/type.ts';
import { duration } from '../types/units.ts';

/** As many characters as 16 random bytes have in base64. */
const KEY_LENGTH_MIN = 22;
const TTL_MAX = '8760h';

const cookiePath: Type<string> = text({
  expects: 'a path such as / or /shop',
  jsonSchema: { pattern: '^/[!-:<-~]*$' },
  standIn: '/',
  parse: (written) =>
    /^\/[!-:<-~]*$/.test(written) && written.length <= 1024
      ? written
      : refuse(`${JSON.stringify(written)} is not the path of a cookie`),
});

const cookieDomain: Type<string> = text({
  expects: 'a domain such as example.com',
  standIn: 'unnamed.invalid',
  parse(written) {
    const name = written.toLowerCase().replace(/^\./, '');
    return isHost(name) && !/^[0-9.]+$/.test(name) && !name.startsWith('[')
      ? name
      : refuse(`${JSON.stringify(written)} is not a domain such as example.com`);
  },
});

const keys = section({
  by: required({
    to: 'by',
    type: oneOf(['cookie', 'header', 'ip']),
    doc: 'By what a client is known. `cookie`: one that Usher sets; it says which backend, so nothing is stored. `header`: the value of the one with that `name`. `ip`: the address of the client, as told by `trusted_proxies` in X-Forwarded-For; an IPv6 client is its /64 network. With `header` and `ip` the `store` has the assignments.',
  }),
  name: optional('`usher_` and the id of the pool for a cookie; must be given for `header`', {
    to: 'name',
    type: fieldName,
    doc: 'Name of the header, in any case, or of the cookie. Pools whose clients may be the same need cookies of different names.',
  }),
  fallback: defaulted('none', {
    to: 'fallback',
    type: oneOf(['none', 'ip']),
    doc: 'By what a client is known that does not send the header: not at all, or `ip`.',
  }),
  ttl: defaulted('24h', {
    to: 'ttlMs',
    type: duration({ min: '1s', max: TTL_MAX }),
    doc: 'How long the requests of a client go to one backend before it is chosen anew.',
  }),
  idle: defaulted('1h', {
    to: 'idleMs',
    type: duration({ min: '1s', max: TTL_MAX }),
    doc: 'How long a client may send nothing and still be known; not longer than `ttl`.',
  }),
  affinity: defaulted(true, {
    to: 'affinity',
    type: trueOrFalse,
    doc: 'Whether the requests of a client that are of another tier go to the backend of the first one too, as long as that can take them.',
  }),
  path: defaulted('/', { to: 'path', type: cookiePath, doc: 'Path of the cookie.' }),
  domain: optional('only the host that was asked', {
    to: 'domain',
    type: cookieDomain,
    doc: 'Domain of the cookie, whose hosts get it too.',
  }),
  same_site: defaulted('lax', {
    to: 'sameSite',
    type: oneOf(SAME_SITES),
    doc: 'Which requests that other sites cause bring the cookie. `none` (all of them) works over TLS only.',
  }),
  secure: defaulted('auto', {
    to: 'secure',
    type: oneOf(SECURE_MODES),
    doc: 'Whether the cookie is for TLS only; `auto`: when it is set over TLS.',
  }),
  keys: defaulted([], {
    to: 'keys',
    type: list(
      secretReference({
        expects: 'env:NAME or file:path, where a secret for cookies is',
        lengthMin: KEY_LENGTH_MIN,
      }),
    ),
    doc: `References to secrets of at least ${KEY_LENGTH_MIN} characters: the first signs cookies, all of them are good. To change the key, put the new one in front and take the old one away after \`ttl\`. Every gateway looks them up itself, files again when they change. Without any the fleet makes a key of its own and keeps it in the \`store\`, or below \`data\` with an embedded one.`,
    why: 'The settings of pools are written to the log, which is no place for secrets.',
  }),
});

const COOKIE_KEYS = ['path', 'domain', 'same_site', 'secure', 'keys'];

/** How clients are known. A cookie without a name has an empty one. */
export const sticky: Type<StickySettings> = mapped(keys, (given, _path, reading): StickySettings => {
  const { by, name = '', fallback, ttlMs, affinity } = given;
  const span = { ttlMs, idleMs: Math.min(given.idleMs, ttlMs), affinity };
  const meaningless = [
    ...(by === 'cookie' ? [] : COOKIE_KEYS),
    ...(by === 'header' ? [] : ['fallback']),
    ...(by === 'ip' ? ['name'] : []),
  ];
  for (const key of meaningless) {
    if (reading.isWritten(given, key)) reading.complain(given, key, `has no meaning when by is ${by}`);
  }
  if (by === 'ip') return { by, ...span };
  if (by === 'header') {
    if (name === '') reading.complain(given, 'by', 'this needs name: which header?');
    return { by, name: name.toLowerCase(), fallback, ...span };
  }
  checkCookie(given, reading);
  const { path, domain, sameSite, secure, keys: references } = given;
  const settings = { by, name, path, sameSite, secure, keys: references, ...span };
  return domain === undefined ? settings : { ...settings, domain };
});

/** Gives the cookie of a pool its name, if it has none. */
export function nameCookie(settings: StickySettings, pool: string): StickySettings {
  return settings.by === 'cookie' && settings.name === '' ? { ...settings, name: `usher_${pool}` } : settings;
}

type Given = ReturnType<(typeof keys)['read']>;

function checkCookie(given: Given, reading: Reading): void {
  if (given.sameSite === 'none' && given.secure === 'never')
    reading.complain(given, 'secure', 'browsers take a cookie with same_site none only if it is secure');
}
