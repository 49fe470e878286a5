import { suggest } from '../suggest.ts';
import { secret } from './secret.ts';
import { Refusal, refuse, type Type } from './type.ts';
import { splitUrl } from './urls.ts';

const SCHEMES = ['redis', 'rediss'];
const EXAMPLE = 'redis://10.0.0.1:6379';

/** The word `embedded`, or the URL of a Redis server. The whole of it or only its password may be a reference: `redis://:env:NAME@host:6379`. */
export const embeddedOrRedisUrl: Type<string> = secret({
  expects: `the word embedded or a URL such as ${EXAMPLE}`,
  standIn: 'embedded',
  parse: parseRedisUrl,
  mask: (url) => url.replace(/:\/\/.*@/s, '://***@'),
});

/** The messages quote nothing of the text. */
function parseRedisUrl(url: string, resolveReference: (text: string) => string | Refusal): string | Refusal {
  if (url === 'embedded') return url;
  if (!url.includes('://')) {
    return refuse(`expected the word embedded or a URL such as ${EXAMPLE}`, suggest(url, ['embedded']));
  }
  const parts = splitUrl(url, SCHEMES, EXAMPLE);
  if (parts instanceof Refusal) return parts;
  if (!/^(\/[0-9]{0,4})?$/.test(parts.rest)) {
    return refuse(
      'after host and port, only the number of a database may follow, as in redis://10.0.0.1:6379/1',
    );
  }
  const user = userInfo(parts.user, resolveReference);
  if (user instanceof Refusal) return user;
  const port = parts.port === '' ? 6379 : Number(parts.port);
  return `${parts.scheme}://${user}${parts.host}:${port}${parts.rest === '/' ? '' : parts.rest}`;
}

/** `user:password@`, percent-encoded, with the password resolved. */
function userInfo(
  written: string | undefined,
  resolveReference: (text: string) => string | Refusal,
): string | Refusal {
  if (written === undefined || written === '') return '';
  const colon = written.indexOf(':');
  if (colon === -1) return refuse('the password follows a colon, as in redis://:password@10.0.0.1:6379');
  const password = resolveReference(written.slice(colon + 1));
  if (password instanceof Refusal) return password;
  const resolved = password !== written.slice(colon + 1);
  if (resolved && !password.isWellFormed()) return refuse('the password is not text');
  return `${written.slice(0, colon)}:${resolved ? encodeURIComponent(password) : password}@`;
}
