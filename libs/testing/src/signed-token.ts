import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/** Signs what stands before the last point of a token. */
export type Signer = (signed: Buffer) => Buffer;

export interface TokenKey {
  /** PEM. */
  readonly publicKey: string;
  readonly jwk: Readonly<Record<string, unknown>>;
  readonly sign: Signer;
  /** As others write the same signature. */
  readonly signInDer: Signer;
}

/** A new key of an issuer. */
export function tokenKey(algorithm: 'RS256' | 'ES256' | 'EdDSA', bits = 2048): TokenKey {
  const { publicKey, privateKey } = pairFor(algorithm, bits);
  const digest = algorithm === 'EdDSA' ? null : 'sha256';
  return {
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }),
    jwk: { ...publicKey.export({ format: 'jwk' }) },
    sign: (signed) => sign(digest, signed, { key: privateKey, dsaEncoding: 'ieee-p1363' }),
    signInDer: (signed) => sign(digest, signed, privateKey),
  };
}

function pairFor(algorithm: string, bits: number): { publicKey: KeyObject; privateKey: KeyObject } {
  if (algorithm === 'RS256') return generateKeyPairSync('rsa', { modulusLength: bits });
  return algorithm === 'ES256'
    ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
    : generateKeyPairSync('ed25519');
}

export function hmacSigner(secret: string): Signer {
  return (signed) => createHmac('sha256', secret).update(signed).digest();
}

/** Header and claims may be anything, so that a test can write what nobody should. */
export function signedToken(header: unknown, claims: unknown, signer: Signer): string {
  const signed = `${part(header)}.${part(claims)}`;
  return `${signed}.${signer(Buffer.from(signed)).toString('base64url')}`;
}

/** Texts and bytes are written as they are, all else as JSON. */
export function part(value: unknown): string {
  const text = typeof value === 'string' || Buffer.isBuffer(value) ? value : JSON.stringify(value);
  return Buffer.from(text as string).toString('base64url');
}
