import { TOKEN_ALGORITHMS, type TokenSettings } from '@usher/domain';
import { list, mapped } from '../../types/collections.ts';
import { jwks } from '../../types/jwks.ts';
import { defaulted, optional, required, section } from '../../types/section.ts';
import type { Type } from '../../types/type.ts';
import { claim, tokenKey } from '../token-key.ts';

const key: Type<TokenSettings['keys'][number]> = tokenKey(
  TOKEN_ALGORITHMS,
  'The public key in PEM form, best as `file:path`. All gateways get it.',
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
      doc: 'Public keys that the tokens are checked with.',
      why: 'A secret that signs would have to be known to all gateways, and whoever can check such a token can make one.',
    }),
    jwks: optional('only `keys`', {
      to: 'jwks',
      type: jwks,
      doc: 'Where the issuer publishes further keys (a JSON Web Key Set): an https URL, or the path of a file. Every gateway reads it at the start, every ten minutes, and when a token names a key that is not known; while it cannot be read, the last known keys stay in use.',
    }),
  }),
  (given, path, reading): TokenSettings => {
    const faulty = reading.isFaulty(`${path}.keys`) || reading.isFaulty(`${path}.jwks`);
    if (given.keys.length === 0 && given.jwks === undefined && !faulty)
      reading.complain(given, '', 'there is nothing to check tokens with; add keys or jwks');
    return given;
  },
);
