import type { AdminJwtKey, AdminJwtSettings } from '../settings.ts';
import { list, mapped } from '../types/collections.ts';
import { jwks } from '../types/jwks.ts';
import { oneOf } from '../types/scalar.ts';
import { defaulted, optional, required, section } from '../types/section.ts';
import type { Type } from '../types/type.ts';
import { claim, tokenKey } from './token-key.ts';

const KEYS_MAX = 32;

const key: Type<AdminJwtKey> = tokenKey(
  ['HS256', 'RS256', 'ES256', 'EdDSA'],
  'For HS256 the secret, of 32 bytes or more, for the others the public key in PEM form. Best as `file:path`.',
  {
    settings: ({ id, algorithm, key: { text } }) => ({
      ...(id === undefined ? {} : { id }),
      algorithm,
      key: text,
    }),
    given: ({ id, algorithm, key }) => ({ id, algorithm, key: { text: key, reference: undefined } }),
  },
);

/** Tokens of somebody who knows the operators: their directory, for instance. */
export const adminJwt: Type<AdminJwtSettings> = mapped(
  section({
    issuer: required({ to: 'issuer', type: claim, doc: 'Who issues the tokens: their `iss`, exactly.' }),
    audience: required({
      to: 'audience',
      type: claim,
      doc: 'For whom they are: their `aud`, or one of a list in it. A token for anything else is refused.',
    }),
    keys: defaulted([], { to: 'keys', type: list(key), doc: 'Keys that the tokens are checked with.' }),
    jwks: optional('only `keys`', {
      to: 'jwks',
      type: jwks,
      doc: 'Where the issuer publishes its keys (a JSON Web Key Set): an https URL, or the path of a file. It is read at the start, every ten minutes, and when a token names a key that is not known; while it cannot be read, the last known keys stay in use.',
    }),
    algorithms: defaulted(['RS256', 'ES256', 'EdDSA'], {
      to: 'algorithms',
      type: list(oneOf(['RS256', 'ES256', 'EdDSA']), { min: 1 }),
      doc: 'Which of the published keys are used: those for these algorithms.',
    }),
    role_claim: defaulted('role', {
      to: 'roleClaim',
      type: claim,
      doc: 'The claim that has the role, `read`, `operate` or `admin`, or a list with it. The name in `sub` is written into what they change, as `jwt:NAME`.',
    }),
  }),
  (given, path, reading): AdminJwtSettings => {
    const faulty = reading.isFaulty(`${path}.keys`) || reading.isFaulty(`${path}.jwks`);
    if (given.keys.length === 0 && given.jwks === undefined && !faulty)
      reading.complain(given, '', 'there is nothing to check tokens with; add keys or jwks');
    if (given.keys.length > KEYS_MAX) reading.complain(given, 'keys', `more than ${KEYS_MAX} keys`);
    return given;
  },
);
