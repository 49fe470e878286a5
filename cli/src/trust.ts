import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type TlsSettings, tlsSource } from '@usher/config';
import { type Io, UsageError } from './io.ts';
import type { Trust } from './secure-fetch.ts';

export interface TrustArguments {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** Whom the options trust; without `--ca` the authorities that Node knows. */
export function trustOf({ ca, cert, key }: TrustArguments, io: Io): Trust {
  if ((cert === undefined) !== (key === undefined)) throw new UsageError('--cert and --key go together');
  return {
    ...(ca === undefined ? {} : { ca: readPem('ca', ca, io) }),
    ...(cert === undefined ? {} : { cert: readPem('cert', cert, io) }),
    ...(key === undefined ? {} : { key: readPem('key', key, io) }),
  };
}

/**
 * Whoever reads the configuration knows the very certificate that is shown: nothing else is trusted, and names do not matter, so
 * that it can be asked on its address.
 */
export function trustInOwn(tls: TlsSettings): Trust {
  const ca = tlsSource(tls)
    .read()
    .certificates.map(({ cert }) => cert);
  const known = new Set(ca.map((pem) => new X509Certificate(pem).fingerprint256));
  return {
    ca,
    // Whoever signed it is not asked.
    allowPartialTrustChain: true,
    checkServerIdentity: (_host, { fingerprint256 }) =>
      known.has(fingerprint256) ? undefined : new Error('it shows another certificate than its own'),
  };
}

/** Throws a UsageError when there is no such file. */
export function readPem(option: string, file: string, io: Io): string {
  try {
    return readFileSync(path.resolve(io.cwd, file), 'utf8');
  } catch (error) {
    throw new UsageError(`--${option}: ${(error as Error).message}`, { cause: error });
  }
}
