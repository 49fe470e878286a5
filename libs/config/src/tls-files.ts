import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { TlsCertificate, TlsMaterial, TlsSource } from '@usher/ports';
import { type Disk, decodeUtf8, readFailure, realDisk } from './input/disk.ts';
import type { CertificateFiles, TlsSettings } from './settings.ts';

const FILE_BYTES_MAX = 1024 * 1024;
/** Without a suite of TLS 1.3 in its list, Node would not speak TLS 1.3 at all. */
const TLS13_CIPHERS = 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256';

/** What a fault is about: a key of the section itself, or one of a certificate. */
type TlsFaultOf =
  | { readonly kind: 'section'; readonly key: 'ciphers' | 'client_ca' | 'client_auth' }
  | { readonly kind: 'certificate'; readonly index: number; readonly key: keyof CertificateFiles };

/** Something wrong with the files or the settings. Says nothing of what is in the files. */
interface TlsFault {
  readonly of: TlsFaultOf;
  readonly message: string;
}

/** Why files could not be used, each with its name. */
class TlsFilesError extends Error {
  constructor(faults: readonly TlsFault[]) {
    super(faults.map(({ message }) => message).join('; '));
    this.name = 'TlsFilesError';
  }
}

/** The files of a listener, for the gateway to read whenever they changed. */
export function tlsSource(settings: TlsSettings): TlsSource {
  const files = settings.certificates.flatMap(({ cert, key }) => [cert, key]);
  return {
    files: settings.clientCa === undefined ? files : [...files, settings.clientCa],
    read() {
      const { material, faults } = inspectTls(settings, realDisk);
      if (faults.length > 0) throw new TlsFilesError(faults);
      return material;
    },
  };
}

/** Reads the files and finds everything that is wrong with them; the material is of use only without faults. */
export function inspectTls(
  settings: TlsSettings,
  disk: Disk,
): { readonly material: TlsMaterial; readonly faults: readonly TlsFault[] } {
  const faults: TlsFault[] = [];
  const certificates = settings.certificates.flatMap((files, index) => {
    const read = readCertificate(files, disk, (key, message) =>
      faults.push({ of: { kind: 'certificate', index, key }, message }),
    );
    return read === undefined ? [] : [read];
  });
  const { minVersion, clientAuth } = settings;
  const ciphers = settings.ciphers.includes('TLS_')
    ? settings.ciphers
    : `${TLS13_CIPHERS}:${settings.ciphers}`;
  const complain = (key: 'ciphers' | 'client_ca' | 'client_auth', message: string) =>
    faults.push({ of: { kind: 'section', key }, message });
  if (failureOf(() => createSecureContext({ ciphers })) !== undefined)
    complain('ciphers', 'there is no such cipher suite');
  const clientCa = readClientCa(settings, disk, complain);
  const material = { certificates, minVersion: `TLSv${minVersion}`, ciphers, clientAuth, clientCa } as const;
  return { material, faults };
}

function readCertificate(
  files: CertificateFiles,
  disk: Disk,
  complain: (key: keyof CertificateFiles, message: string) => void,
): TlsCertificate | undefined {
  const cert = readPem(files.cert, disk, (message) => complain('cert', message));
  const key = readPem(files.key, disk, (message) => complain('key', message));
  const leaf = cert === undefined ? undefined : certificateIn(cert);
  const secret = key === undefined ? undefined : privateKeyIn(key);
  if (cert !== undefined && leaf === undefined)
    complain('cert', `there is no certificate in PEM form in ${files.cert}`);
  if (typeof secret === 'string') complain('key', `${secret} in ${files.key}`);
  if (cert === undefined || key === undefined || leaf === undefined) return undefined;
  if (secret === undefined || typeof secret === 'string') return undefined;
  if (!leaf.checkPrivateKey(secret)) {
    complain('key', `the key in ${files.key} is not that of the certificate in ${files.cert}`);
    return undefined;
  }
  const failure = failureOf(() => createSecureContext({ cert, key }));
  if (failure === undefined)
    return { cert, key, names: namesOf(leaf), expiresMs: leaf.validToDate.getTime() };
  complain('cert', `the certificate in ${files.cert} cannot be used: ${failure}`);
  return undefined;
}

function readClientCa(
  { clientCa, clientAuth }: TlsSettings,
  disk: Disk,
  complain: (key: 'client_ca' | 'client_auth', message: string) => void,
): string | undefined {
  if (clientCa === undefined) {
    if (clientAuth !== 'none') complain('client_auth', 'this needs client_ca: whose certificates are valid');
    return undefined;
  }
  if (clientAuth === 'none')
    complain('client_auth', 'with client_ca, clients are asked: optional or required');
  const pem = readPem(clientCa, disk, (message) => complain('client_ca', message));
  if (pem === undefined) return undefined;
  const failure = certificateIn(pem) === undefined ? '' : failureOf(() => createSecureContext({ ca: pem }));
  if (failure === undefined) return pem;
  complain('client_ca', `there is no certificate in PEM form in ${clientCa}`);
  return undefined;
}

function readPem(path: string, disk: Disk, complain: (message: string) => void): string | undefined {
  let bytes: Uint8Array;
  try {
    bytes = disk.readBytes(path);
  } catch (error) {
    complain(`${readFailure(error)}: ${path}`);
    return undefined;
  }
  if (bytes.byteLength > FILE_BYTES_MAX) {
    complain(`the file is longer than ${FILE_BYTES_MAX} bytes: ${path}`);
    return undefined;
  }
  const text = decodeUtf8(bytes);
  if (typeof text === 'string') return text;
  complain(`the file is not in PEM form: ${path}`);
  return undefined;
}

function certificateIn(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

/** The key, or why there is none. What OpenSSL says about a bad key is of no help to anyone. */
function privateKeyIn(pem: string): KeyObject | string {
  if (/ENCRYPTED/.test(pem)) return 'the private key needs a passphrase';
  try {
    return createPrivateKey(pem);
  } catch {
    return 'there is no private key in PEM form';
  }
}

/** DNS names only: clients that ask for an address name no host. An old certificate without them has its common name. */
function namesOf(leaf: X509Certificate): string[] {
  const names = (leaf.subjectAltName ?? '')
    .split(', ')
    .flatMap((entry) => /^DNS:([A-Za-z0-9*._-]+)$/.exec(entry)?.[1] ?? []);
  const common = /^CN=([A-Za-z0-9*._-]+)$/m.exec(leaf.subject)?.[1];
  return (names.length > 0 || common === undefined ? names : [common]).map((name) => name.toLowerCase());
}

function failureOf(attempt: () => unknown): string | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    return error instanceof Error && 'reason' in error ? String(error.reason) : 'it was refused';
  }
}
