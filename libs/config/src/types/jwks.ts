import { resolve } from 'node:path';
import type { AdminJwtSettings } from '../settings.ts';
import { mapped } from './collections.ts';
import { isLoopback } from './network.ts';
import { text } from './scalar.ts';
import { refuse, type Type } from './type.ts';

/** Where an issuer publishes its keys. */
export const jwks: Type<NonNullable<AdminJwtSettings['jwks']>> = mapped(
  text({
    expects: 'a URL such as https://issuer.example.com/jwks.json, or the path of a file',
    standIn: { url: 'https://unnamed.invalid' },
    parse: (written) => (written.includes('://') ? parseUrl(written) : { path: written }),
    write: (place) => ('url' in place ? place.url : place.path),
  }),
  (place, _path, reading) =>
    'url' in place ? place : { file: resolve(reading.surroundings.folder, place.path) },
  (place) => ('url' in place ? place : { path: place.file }),
);

/** Who can change what is read there lets anybody in, so the way has to be safe. */
function parseUrl(written: string) {
  const url = URL.canParse(written) ? new URL(written) : undefined;
  const safe =
    url?.protocol === 'https:' ||
    (url?.protocol === 'http:' && isLoopback(url.hostname.replace(/^\[|\]$/g, '')));
  if (url === undefined || !safe) return refuse('expected an https URL; http is for this machine only');
  if (url.username !== '' || url.password !== '') return refuse('this URL takes no user and no password');
  return { url: url.href };
}
