import type { CorsSettings } from '@usher/domain';
import { list, mapped } from '../../types/collections.ts';
import { fieldName } from '../../types/names.ts';
import { text, trueOrFalse } from '../../types/scalar.ts';
import { defaulted, required, section } from '../../types/section.ts';
import { refuse, type Type } from '../../types/type.ts';
import { duration } from '../../types/units.ts';

const MS_PER_S = 1000;
const EVERYBODY = '*';
const METHOD = /^[A-Z][A-Z-]{0,31}$/;

const origin: Type<string> = text({
  expects: 'an origin such as https://app.example.com, or *',
  jsonSchema: { pattern: '^(\\*|https?://[^/?#@\\s]+)$' },
  standIn: EVERYBODY,
  parse(written) {
    if (written === EVERYBODY) return written;
    if (written === 'null') return refuse('null is the origin of any page that hides its own');
    const url = URL.parse(written);
    if (url === null || !['http:', 'https:'].includes(url.protocol))
      return refuse('this is not an origin such as https://app.example.com');
    return url.origin === written
      ? written
      : refuse('an origin is a scheme, a host and a port alone', url.origin);
  },
});

const method: Type<string> = text({
  expects: 'a method such as GET',
  jsonSchema: { pattern: METHOD.source },
  standIn: 'GET',
  parse: (written) =>
    METHOD.test(written) ? written : refuse('this is not a method such as GET', written.toUpperCase()),
});

const keys = section({
  origins: required({
    to: 'origins',
    type: list(origin, { min: 1 }),
    doc: 'Origins whose pages may use the route, exactly as browsers send them; `*` for all, which goes without `credentials`.',
  }),
  methods: defaulted(['GET', 'HEAD', 'POST'], {
    to: 'methods',
    type: list(method),
    doc: 'Methods that they may use.',
  }),
  headers: defaulted([], {
    to: 'headers',
    type: list(fieldName),
    doc: 'Headers that they may send beside those that every page may; `*` for whatever they ask for.',
  }),
  expose: defaulted([], {
    to: 'expose',
    type: list(fieldName),
    doc: 'Headers of answers that they may read beside those that every page may.',
  }),
  credentials: defaulted(false, {
    to: 'credentials',
    type: trueOrFalse,
    doc: 'Whether browsers send cookies and certificates along.',
  }),
  max_age: defaulted('10m', {
    to: 'maxAgeMs',
    type: duration({ min: '1s', max: '24h', zero: 'not at all' }),
    doc: 'How long a browser may remember what it was told.',
  }),
});

/** Which pages of other sites may use a route. */
export const cors: Type<CorsSettings> = mapped(
  keys,
  ({ maxAgeMs, ...given }, path, reading): CorsSettings => {
    const everybody = given.origins.includes(EVERYBODY);
    if (everybody && given.credentials)
      reading.fault(
        path,
        reading.placeOf(given, 'credentials'),
        'with credentials, origins have to be named: any site could act for its visitors otherwise',
      );
    if (everybody && given.origins.length > 1)
      reading.fault(path, reading.placeOf(given, 'origins'), '* stands for all origins');
    return { ...given, maxAgeS: Math.floor(maxAgeMs / MS_PER_S) };
  },
  ({ maxAgeS, ...given }) => ({ ...given, maxAgeMs: maxAgeS * MS_PER_S }),
);
