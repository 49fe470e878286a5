import { createHmac, type KeyObject, timingSafeEqual, verify } from 'node:crypto';

/** How tokens may be signed (RFC 7518 section 3.1, RFC 8037). A key is for one of them. */
export type JwtAlgorithm = 'HS256' | 'RS256' | 'ES256' | 'EdDSA';

/** Those whose keys everybody may see. */
export const PUBLISHED_ALGORITHMS = ['RS256', 'ES256', 'EdDSA'] as const satisfies readonly JwtAlgorithm[];

const HMAC_KEY_BYTES_MIN = 32;
const RSA_BITS_MIN = 2048;
const SIGNATURE_BYTES = 64;

interface Algorithm {
  fits(key: KeyObject): boolean;
  verifies(key: KeyObject, signed: Uint8Array, signature: Uint8Array): boolean;
}

const ALGORITHMS: Readonly<Record<JwtAlgorithm, Algorithm>> = {
  HS256: {
    fits: (key) => key.type === 'secret' && (key.symmetricKeySize ?? 0) >= HMAC_KEY_BYTES_MIN,
    verifies(key, signed, signature) {
      const expected = createHmac('sha256', key).update(signed).digest();
      return signature.length === expected.length && timingSafeEqual(signature, expected);
    },
  },
  RS256: {
    fits: (key) => isPublic(key, 'rsa') && (key.asymmetricKeyDetails?.modulusLength ?? 0) >= RSA_BITS_MIN,
    verifies: (key, signed, signature) => verify('sha256', signed, key, signature),
  },
  ES256: {
    fits: (key) => isPublic(key, 'ec') && key.asymmetricKeyDetails?.namedCurve === 'prime256v1',
    verifies: (key, signed, signature) =>
      signature.length === SIGNATURE_BYTES &&
      verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, signature),
  },
  EdDSA: {
    fits: (key) => isPublic(key, 'ed25519'),
    verifies: (key, signed, signature) =>
      signature.length === SIGNATURE_BYTES && verify(null, signed, key, signature),
  },
};

function isPublic(key: KeyObject, type: string): boolean {
  return key.type === 'public' && key.asymmetricKeyType === type;
}

/** Whether the key is of the algorithm's kind, and strong enough. */
export function isKeyFor(algorithm: JwtAlgorithm, key: KeyObject): boolean {
  return ALGORITHMS[algorithm].fits(key);
}

/** Whether the key made the signature. The key must be one for the algorithm. */
export function isSignedBy(
  { algorithm, key }: { readonly algorithm: JwtAlgorithm; readonly key: KeyObject },
  signed: Uint8Array,
  signature: Uint8Array,
): boolean {
  try {
    return ALGORITHMS[algorithm].verifies(key, signed, signature);
  } catch {
    return false;
  }
}
