import { createPrivateKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

/** A certificate with its key, both PEM. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
}

export interface TestCertificateOptions {
  /** Its common name. Default `test`. */
  readonly commonName?: string;
  /** The DNS names it is for. */
  readonly names?: readonly string[];
  /** Who signs it. Default: it signs itself. */
  readonly issuer?: TestCertificate & { readonly commonName: string };
  /** It may sign others. */
  readonly authority?: boolean;
  /** Default: an hour ago, and in a day. */
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

const HOUR_MS = 3_600_000;

/**
 * Makes an X.509 certificate (RFC 5280) on P-256, so that tests and benchmarks need neither a tool for it nor a private
 * key in the repository. Takes about a millisecond.
 */
export function makeCertificate(options: TestCertificateOptions = {}): TestCertificate & {
  readonly commonName: string;
} {
  const { commonName = 'test', issuer } = options;
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const now = Date.now();
  const toBeSigned = sequence(
    tagged(0, integer(2)),
    der(0x02, Buffer.concat([Buffer.of(1), randomBytes(15)])),
    ECDSA_WITH_SHA256,
    nameOf(issuer?.commonName ?? commonName),
    sequence(
      time(options.notBefore ?? new Date(now - HOUR_MS)),
      time(options.notAfter ?? new Date(now + 24 * HOUR_MS)),
    ),
    nameOf(commonName),
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(3, sequence(...extensions(options))),
  );
  const signature = sign(
    'sha256',
    toBeSigned,
    issuer === undefined ? privateKey : createPrivateKey(issuer.key),
  );
  const whole = sequence(toBeSigned, ECDSA_WITH_SHA256, der(0x03, Buffer.concat([Buffer.of(0), signature])));
  const lines = whole.toString('base64').replace(/.{64}(?=.)/g, '$&\n');
  return {
    commonName,
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
  };
}

function extensions({ names = [], authority = false }: TestCertificateOptions): Buffer[] {
  const made = [];
  if (authority)
    made.push(
      sequence(BASIC_CONSTRAINTS, der(0x01, Buffer.of(0xff)), octets(sequence(der(0x01, Buffer.of(0xff))))),
    );
  if (names.length > 0) {
    const dnsNames = names.map((name) => der(0x82, Buffer.from(name, 'ascii')));
    made.push(sequence(SUBJECT_ALT_NAME, octets(sequence(...dnsNames))));
  }
  // There must be one: an empty list is not allowed.
  made.push(sequence(SUBJECT_KEY_ID, octets(octets(randomBytes(20)))));
  return made;
}

function nameOf(commonName: string): Buffer {
  return sequence(der(0x31, sequence(COMMON_NAME, der(0x0c, Buffer.from(commonName, 'utf8')))));
}

/** GeneralizedTime from 2050 on, UTCTime before (RFC 5280 section 4.1.2.5). */
function time(date: Date): Buffer {
  const digits = date.toISOString().replace(/\.\d{3}|[-:T]/g, '');
  return date.getUTCFullYear() < 2050
    ? der(0x17, Buffer.from(digits.slice(2), 'ascii'))
    : der(0x18, Buffer.from(digits, 'ascii'));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

function tagged(number: number, content: Buffer): Buffer {
  return der(0xa0 + number, content);
}

function octets(content: Buffer): Buffer {
  return der(0x04, content);
}

function integer(value: number): Buffer {
  return der(0x02, Buffer.of(value));
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), content]);
  const head = length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}

/** Object identifiers in their encoded form. */
function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'));
}

const COMMON_NAME = oid('550403');
const SUBJECT_KEY_ID = oid('551d0e');
const SUBJECT_ALT_NAME = oid('551d11');
const BASIC_CONSTRAINTS = oid('551d13');
const ECDSA_WITH_SHA256 = sequence(oid('2a8648ce3d040302'));
