import { createPublicKey, type KeyObject } from 'node:crypto';
import type { AdminJwtKey } from '../settings.ts';
import { weaknessOf } from '../weak-secrets.ts';

const HMAC_KEY_BYTES_MIN = 32;
const RSA_BITS_MIN = 2048;

/** What is wrong with a key for checking tokens, without a word of it. */
export function jwtKeyFault({ algorithm, key: text }: AdminJwtKey): string | undefined {
  if (algorithm === 'HS256') return tokenSecretFault(text);
  if (text.includes('PRIVATE KEY'))
    return 'this is a private key; who issues the tokens keeps that, and the public one belongs here';
  const key = publicKeyIn(text);
  if (key === undefined) return `${algorithm} needs a public key in PEM form`;
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  switch (algorithm) {
    case 'RS256':
      if (type !== 'rsa') return 'RS256 needs an RSA key';
      return (details?.modulusLength ?? 0) < RSA_BITS_MIN
        ? `RS256 needs a key of ${RSA_BITS_MIN} bits or more`
        : undefined;
    case 'ES256':
      return type === 'ec' && details?.namedCurve === 'prime256v1'
        ? undefined
        : 'ES256 needs a key on the curve P-256';
    case 'EdDSA':
      return type === 'ed25519' ? undefined : 'EdDSA needs an Ed25519 key';
  }
}

/** What is wrong with a secret that signs tokens, without a word of it. RFC 7518 section 3.2: as many bits as the hash has. */
export function tokenSecretFault(text: string): string | undefined {
  if (text.includes('-----BEGIN')) return 'HS256 needs a secret; a key in PEM form is for another algorithm';
  if (Buffer.byteLength(text) < HMAC_KEY_BYTES_MIN)
    return `HS256 needs a secret of ${HMAC_KEY_BYTES_MIN} bytes or more`;
  return weaknessOf(text);
}

function publicKeyIn(text: string): KeyObject | undefined {
  try {
    return createPublicKey(text);
  } catch {
    return undefined;
  }
}
