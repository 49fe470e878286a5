import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** The one cipher suite that all proxies are told to use, so that they all encrypt alike. */
export const CIPHER_SUITE = 'TLS_AES_128_GCM_SHA256';

/** Paths of PEM files. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
  /** Both in one file, as HAProxy wants them. */
  readonly both: string;
}

/** Makes a certificate that signs itself and lasts for a day. */
export function makeCertificate(openssl: string, directory: string): Certificate {
  const at = (name: string): string => path.join(directory, name);
  const certificate = { cert: at('cert.pem'), key: at('key.pem'), both: at('both.pem') };
  const key = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-keyout',
    certificate.key,
  ];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-days', '1'];
  execFileSync(openssl, ['req', '-x509', ...key, ...subject, '-out', certificate.cert], { stdio: 'pipe' });
  writeFileSync(
    certificate.both,
    readFileSync(certificate.cert, 'utf8') + readFileSync(certificate.key, 'utf8'),
  );
  return certificate;
}
