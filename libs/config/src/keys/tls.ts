import { resolve } from 'node:path';
import type { Reading } from '../reading.ts';
import type { CertificateFiles, TlsSettings } from '../settings.ts';
import { inspectTls } from '../tls-files.ts';
import { list, mapped } from '../types/collections.ts';
import { filePath } from '../types/names.ts';
import { oneOf, text } from '../types/scalar.ts';
import { defaulted, optional, required, section } from '../types/section.ts';
import { refuse, type Type } from '../types/type.ts';

/** Forward secret and authenticated: what every client of the last ten years has. */
export const CIPHERS = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

const ciphers: Type<string> = text({
  expects: 'cipher suites in the notation of OpenSSL, separated by colons',
  jsonSchema: { pattern: '^[A-Za-z0-9_+!@=:-]+$' },
  standIn: CIPHERS,
  parse: (written) =>
    /^[A-Za-z0-9_+!@=:-]+$/.test(written)
      ? written
      : refuse('expected cipher suites in the notation of OpenSSL, separated by colons'),
});

/** A certificate and its key. */
export const CERTIFICATE_KEYS = {
  cert: required({
    to: 'cert',
    type: filePath,
    doc: 'File with the certificate in PEM form, followed by those between it and its root.',
  }),
  key: required({
    to: 'key',
    type: filePath,
    doc: 'File with its private key in PEM form, without a passphrase.',
  }),
};

const certificate: Type<CertificateFiles> = section(CERTIFICATE_KEYS);

/** Whose certificates count. */
export const CLIENT_KEYS = {
  client_ca: optional('clients are not asked for certificates', {
    to: 'clientCa',
    type: filePath,
    doc: 'File with the certificates, in PEM form, of those who may sign the certificates of clients.',
  }),
  client_auth: optional('`required` with `client_ca`, else `none`', {
    to: 'clientAuth',
    type: oneOf(['none', 'optional', 'required']),
    doc: 'Whether clients must show a certificate. With `optional` they need not, but one that is not valid is refused too.',
  }),
};

const keys = section({
  certificates: required({
    to: 'certificates',
    type: list(certificate, { min: 1 }),
    doc: 'The one for the host that a client names is used, by the DNS names in them, `*.example.com` too; the first one where none fits. Changed files are taken up without a connection being closed.',
  }),
  min_version: defaulted('1.2', {
    to: 'minVersion',
    type: oneOf(['1.2', '1.3']),
    doc: 'The oldest version of TLS that is spoken.',
    why: 'Older ones are broken.',
  }),
  ciphers: defaulted(CIPHERS, {
    to: 'ciphers',
    type: ciphers,
    doc: 'Cipher suites, best first. Those of TLS 1.3 are always on, unless some of them are named here.',
  }),
  ...CLIENT_KEYS,
});

/** TLS of one listener. The files are read and judged here, and read again by the gateway. */
export const tls: Type<TlsSettings> = mapped(keys, (given, path, reading): TlsSettings => {
  const at = (file: string) => resolve(reading.surroundings.folder, file);
  const { minVersion, ciphers, clientCa } = given;
  const settings: TlsSettings = {
    certificates: given.certificates.map(({ cert, key }) => ({ cert: at(cert), key: at(key) })),
    minVersion,
    ciphers,
    clientAuth: given.clientAuth ?? (clientCa === undefined ? 'none' : 'required'),
    ...(clientCa === undefined ? {} : { clientCa: at(clientCa) }),
  };
  const known = [...given.certificates.keys()].some((index) =>
    ['cert', 'key'].some((key) => reading.isFaulty(`${path}.certificates[${index}].${key}`)),
  );
  // What stands in for a fault must not be looked for on the disk.
  if (!known && !reading.isFaulty(`${path}.certificates`)) complain(settings, given, reading);
  return settings;
});

function complain(
  settings: TlsSettings,
  given: { readonly certificates: readonly CertificateFiles[] },
  reading: Reading,
): void {
  for (const { of, message } of inspectTls(settings, reading.surroundings.disk).faults) {
    if (of.kind === 'section') reading.complain(given, of.key, message);
    else reading.complain(given.certificates[of.index] ?? given, of.key, message);
  }
}
