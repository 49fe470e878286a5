import type { Reading } from '../reading.ts';
import type { AdminJwtKey } from '../settings.ts';
import { mapped } from '../types/collections.ts';
import { jwtKeyFault } from '../types/jwt-key.ts';
import { oneOf, text } from '../types/scalar.ts';
import { type FoundSecret, foundSecret } from '../types/secret.ts';
import { optional, required, section } from '../types/section.ts';
import { refuse, type Type } from '../types/type.ts';

/** What stands in a claim, compared as it is. */
export const claim: Type<string> = text({
  expects: 'a text such as https://issuer.example.com',
  jsonSchema: { pattern: '^[!-~]{1,256}$' },
  standIn: 'none',
  parse: (written) =>
    /^[!-~]{1,256}$/.test(written)
      ? written
      : refuse('expected up to 256 letters, digits and signs, without spaces'),
});

/** A key as it was given. */
interface GivenTokenKey<A extends AdminJwtKey['algorithm']> {
  readonly id: string | undefined;
  readonly algorithm: A;
  readonly key: FoundSecret;
}

/** How settings are made of what was given, and the other way round. */
interface Making<A extends AdminJwtKey['algorithm'], S> {
  settings(given: GivenTokenKey<A>, reading: Reading): S;
  given(settings: S): GivenTokenKey<A>;
}

/** A key with which signed tokens are checked. `doc`: what the key itself is. */
export function tokenKey<A extends AdminJwtKey['algorithm'], S>(
  algorithms: readonly [A, ...A[]],
  doc: string,
  making: Making<A, S>,
): Type<S> {
  const keys = section({
    id: optional('tried on every token of its algorithm', {
      to: 'id',
      type: claim,
      doc: 'What tokens call it in `kid`.',
    }),
    algorithm: required({
      to: 'algorithm',
      type: oneOf(algorithms),
      doc: 'The only algorithm that it is used with, whatever a token says.',
    }),
    key: required({ to: 'key', type: foundSecret('a key'), doc }),
  });
  return mapped(
    keys,
    (given, _path, reading) => {
      const { algorithm, key } = given;
      const fault = key.text === '' ? undefined : jwtKeyFault({ algorithm, key: key.text });
      if (fault !== undefined) reading.complain(given, 'key', fault);
      return making.settings(given, reading);
    },
    (settings) => making.given(settings),
  );
}
