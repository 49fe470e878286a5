import { type HeaderEditSettings, type SecurityHeaderSettings, uneditable } from '@usher/domain';
import type { Reading } from '../../reading.ts';
import { list, mapped, record } from '../../types/collections.ts';
import { headerTemplate } from '../../types/header-template.ts';
import { fieldName } from '../../types/names.ts';
import { text } from '../../types/scalar.ts';
import { defaulted, optional, section } from '../../types/section.ts';
import { refuse, type Type } from '../../types/type.ts';

const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/;
const VALUE = /^[!-~]([\t -~]{0,4094}[!-~])?$/;

/** Values by the names of headers. */
export function byHeader(value: Type<string>): Type<ReadonlyMap<string, string>> {
  return record(value, {
    name: '<header>',
    keyExpects: 'names of headers',
    keyPattern: NAME,
    parseKey: (name) =>
      NAME.test(name) ? name : refuse(`${JSON.stringify(name)} is not the name of a header`),
  });
}

const templates = byHeader(headerTemplate);

const edits = section({
  set: defaulted(
    {},
    {
      to: 'set',
      type: templates,
      doc: 'Headers instead of those of that name. A value may hold the variables {client}, {request_id}, {scheme}, {host}, {path}, {query} and {route}.',
    },
  ),
  add: defaulted({}, { to: 'add', type: templates, doc: 'Headers beside those of that name.' }),
  remove: defaulted([], { to: 'remove', type: list(fieldName), doc: 'Names of headers that go.' }),
});

/** Changes of the headers of requests or responses. */
export const headerEdits: Type<HeaderEditSettings> = mapped(
  edits,
  (given, _path, reading) => {
    const set = byName(given.set, given, 'set', reading);
    const add = byName(given.add, given, 'add', reading);
    const remove = given.remove.map((name) => name.toLowerCase());
    for (const name of remove) complainOf(name, given, 'remove', reading);
    return { set, add, remove };
  },
  ({ set, add, remove }) => ({
    set: new Map(Object.entries(set)),
    add: new Map(Object.entries(add)),
    remove,
  }),
);

/** The same by names in lower case, each there once and one that may be changed. */
export function byName(
  values: ReadonlyMap<string, string>,
  given: object,
  key: string,
  reading: Reading,
): Readonly<Record<string, string>> {
  const named = new Map<string, string>();
  for (const [name, value] of values) {
    const lower = name.toLowerCase();
    complainOf(lower, given, key, reading);
    if (named.has(lower)) reading.complain(given, key, `${lower} is given twice`);
    named.set(lower, value);
  }
  return Object.fromEntries(named);
}

/** Some headers are nobody's to change. */
function complainOf(name: string, given: object, key: string, reading: Reading): void {
  const why = uneditable(name);
  if (why !== undefined) reading.complain(given, key, why);
}

const plainValue: Type<string> = text({
  expects: 'the value of a header, or none',
  jsonSchema: { pattern: VALUE.source },
  standIn: 'x',
  parse: (written) =>
    VALUE.test(written) ? written : refuse('expected printable characters of ASCII in one line'),
});

const security = section({
  hsts: defaulted('max-age=31536000', {
    to: 'hsts',
    type: plainValue,
    doc: 'Strict-Transport-Security of answers over TLS: browsers come over TLS alone from then on, for that many seconds. `none` leaves it out, as for each of these.',
  }),
  content_type_options: defaulted('nosniff', {
    to: 'x-content-type-options',
    type: plainValue,
    doc: 'X-Content-Type-Options: browsers take the type of content as it is given.',
  }),
  frame_options: defaulted('SAMEORIGIN', {
    to: 'x-frame-options',
    type: plainValue,
    doc: 'X-Frame-Options: no other site may show the page in a frame.',
  }),
  referrer_policy: defaulted('strict-origin-when-cross-origin', {
    to: 'referrer-policy',
    type: plainValue,
    doc: 'Referrer-Policy: other sites are not told from which page somebody comes.',
  }),
  content_security_policy: optional('the header is not sent', {
    to: 'content-security-policy',
    type: plainValue,
    doc: 'Content-Security-Policy: what a page may load.',
  }),
  permissions_policy: optional('the header is not sent', {
    to: 'permissions-policy',
    type: plainValue,
    doc: 'Permissions-Policy: what a page may use of the browser.',
  }),
});

/** Those that are sent unless it is said that they are not. */
const UNSAID = { 'x-content-type-options': 'none', 'x-frame-options': 'none', 'referrer-policy': 'none' };

/** What answers get that do not have it from their backends. */
export const securityHeaders: Type<SecurityHeaderSettings> = mapped(
  security,
  ({ hsts, ...others }): SecurityHeaderSettings => {
    const said = Object.entries(others).flatMap(([name, value]) =>
      value === undefined || value === 'none' ? [] : [[name, value] as const],
    );
    return { ...(hsts === 'none' ? {} : { hsts }), headers: Object.fromEntries(said) };
  },
  ({ hsts = 'none', headers }) => ({ ...UNSAID, ...headers, hsts }),
);
