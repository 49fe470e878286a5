import { REDIRECT_STATUSES, type RedirectSettings, type RewriteSettings } from '@usher/domain';
import { mapped, wordOr } from '../../types/collections.ts';
import { urlTemplate } from '../../types/header-template.ts';
import { scalar, text } from '../../types/scalar.ts';
import { defaulted, optional, required, section } from '../../types/section.ts';
import { type Refusal, refuse, type Type } from '../../types/type.ts';

const LENGTH_MAX = 1024;

const redirectStatus = scalar({
  expects: `one of the statuses ${REDIRECT_STATUSES.join(', ')}`,
  jsonSchema: { enum: REDIRECT_STATUSES },
  standIn: REDIRECT_STATUSES[0],
  parse: (input) =>
    REDIRECT_STATUSES.find((status) => String(status) === input.text) ??
    refuse(`expected one of ${REDIRECT_STATUSES.join(', ')}, found ${input.text}`),
});

/** Where clients are sent instead of being served. */
export const redirect: Type<RedirectSettings> = wordOr(
  'https',
  section({
    to: required({
      to: 'to',
      type: urlTemplate,
      doc: 'Where to: a URL or a path, which may hold variables, such as `https://example.com{path}{query}`.',
    }),
    status: defaulted(302, {
      to: 'status',
      type: redirectStatus,
      doc: 'How the answer says so: 301 and 308 for good, 302, 303 and 307 for now; after 307 and 308 a client repeats the method and the body as well.',
    }),
  }),
);

const prefix: Type<string> = text({
  expects: 'the beginning of a path, such as /api',
  jsonSchema: { pattern: '^/[!-~]*[!-.0-~]$' },
  standIn: '/unnamed',
  parse: parsePrefix,
});

const rewriteKeys = section({
  strip: optional('nothing', {
    to: 'strip',
    type: prefix,
    doc: 'What is taken off the beginning of the path: with `/api`, `/api/users` becomes `/users`. A path that does not begin with it stays.',
  }),
  add: optional('nothing', {
    to: 'add',
    type: prefix,
    doc: 'What is put before the path, after `strip`.',
  }),
});

/** How the path changes on its way to the backend. */
export const rewrite: Type<RewriteSettings> = mapped(
  rewriteKeys,
  (given, _path, reading): RewriteSettings => {
    if (given.strip === undefined && given.add === undefined)
      reading.complain(given, '', 'this needs strip or add');
    return given;
  },
);

/** The beginning of a path, or the whole of one, that can be read in one way. */
export function parsePrefix(written: string): string | Refusal {
  if (!written.startsWith('/')) return refuse('a path starts with /', `/${written}`);
  if (written.length > LENGTH_MAX) return refuse(`longer than ${LENGTH_MAX} characters`);
  if (/[?#*]/.test(written) || !/^[!-~]*$/.test(written))
    return refuse('this is not the beginning of a path');
  if (/[/\\]{2}|\\|\/\.{1,2}(\/|$)/.test(written)) return refuse('this path could be read in several ways');
  return written.endsWith('/') ? refuse('it ends without a slash', written.replace(/\/+$/, '')) : written;
}
