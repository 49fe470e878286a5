import { TOKEN_ALGORITHMS, type TokenKeySettings, type TokenSettings } from '@usher/domain';
import { list, mapped } from '../../types/collections.ts';
import { jwks } from '../../types/jwks.ts';
import { NO_REFERENCE } from '../../types/secret.ts';
import { defaulted, optional, required, section } from '../../types/section.ts';
import type { Type } from '../../types/type.ts';
import { claim, tokenKey } from '../token-key.ts';
import { byHeader, byName } from './headers.ts';

const CLAIM_HEADERS_MAX = 32;
const CREDENTIALS = ['authorization', 'cookie'];

const key: Type<TokenKeySettings> = tokenKey(
  ['HS256', ...TOKEN_ALGORITHMS],
  'The public key in PEM form, best as `file:path`; all gateways get it. For HS256 a reference to the secret, of 32 bytes or more: `env:NAME` or `file:path`, which every gateway looks up itself, a file again when it changes.',
  {
    settings(given, reading): TokenKeySettings {
      const { id, algorithm, key } = given;
      const named = id === undefined ? {} : { id };
      if (algorithm !== 'HS256') return { ...named, algorithm, key: key.text };
      if (key.reference === undefined && key.text !== '')
        reading.complain(
          given,
          'key',
          'a secret is not written out here, because the settings of routes are written to the log; use env:NAME or file:path',
        );
      return { ...named, algorithm, reference: key.reference ?? NO_REFERENCE };
    },
    given: (settings) =>
      settings.algorithm === 'HS256'
        ? { id: settings.id, algorithm: settings.algorithm, key: { text: '', reference: settings.reference } }
        : {
            id: settings.id,
            algorithm: settings.algorithm,
            key: { text: settings.key, reference: undefined },
          },
  },
);

/** Who may call, by a token that somebody else has signed. */
export const jwt: Type<TokenSettings> = mapped(
  section({
    issuer: required({ to: 'issuer', type: claim, doc: 'Who issues the tokens: their `iss`, exactly.' }),
    audience: required({
      to: 'audience',
      type: claim,
      doc: 'For whom they are: their `aud`, or one of a list in it. A token for anything else is refused.',
    }),
    keys: defaulted([], {
      to: 'keys',
      type: list(key),
      doc: 'Keys that the tokens are checked with.',
      why: 'Of a secret only its place is written down. Whoever can check a token by a secret can make one, so a public key is better wherever the issuer has one.',
    }),
    jwks: optional('only `keys`', {
      to: 'jwks',
      type: jwks,
      doc: 'Where the issuer publishes further keys (a JSON Web Key Set): an https URL, or the path of a file. Every gateway reads it at the start, every ten minutes, and when a token names a key that is not known; while it cannot be read, the last known keys stay in use.',
    }),
    claim_to_headers: defaulted(
      {},
      {
        to: 'claimHeaders',
        type: byHeader(claim),
        doc: 'Claims of a token in headers for the backend: `{ X-User: sub }`. Text, numbers and truth values are written as they are, lists and objects as JSON. A header of that name never comes from a client, at no route.',
      },
    ),
  }),
  (given, path, reading): TokenSettings => {
    const faulty = reading.isFaulty(`${path}.keys`) || reading.isFaulty(`${path}.jwks`);
    if (given.keys.length === 0 && given.jwks === undefined && !faulty)
      reading.complain(given, '', 'there is nothing to check tokens with; add keys or jwks');
    const { claimHeaders, ...rest } = given;
    if (claimHeaders.size > CLAIM_HEADERS_MAX)
      reading.complain(given, 'claim_to_headers', `more than ${CLAIM_HEADERS_MAX} headers`);
    const named = byName(claimHeaders, given, 'claim_to_headers', reading);
    const taken = CREDENTIALS.find((name) => name in named);
    if (taken !== undefined)
      reading.complain(given, 'claim_to_headers', `${taken} is what clients themselves show`);
    return claimHeaders.size === 0 ? rest : { ...rest, claimHeaders: named };
  },
  ({ claimHeaders = {}, ...rest }) => ({ ...rest, claimHeaders: new Map(Object.entries(claimHeaders)) }),
);
