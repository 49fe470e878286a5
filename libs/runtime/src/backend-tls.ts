import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { BackendTlsSettings } from '@usher/domain';

/** What is in the files of a pool's TLS settings, all PEM. */
export interface BackendTlsMaterial {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** Reads the files and makes sure that they can be used. Throws an error that says which of them cannot, and nothing of what is in them. */
export function readBackendTls({ ca, cert, key }: BackendTlsSettings): BackendTlsMaterial {
  const material: BackendTlsMaterial = { ca: read(ca), cert: read(cert), key: read(key) };
  const authority = ca === undefined ? undefined : failureOf(() => new X509Certificate(material.ca ?? ''));
  if (authority !== undefined) throw new Error(`there is no certificate in PEM form in ${ca}`);
  const failure = failureOf(() => createSecureContext({ cert: material.cert, key: material.key }));
  if (failure === undefined) return material;
  throw new Error(`the certificate in ${cert} and the key in ${key} cannot be used: ${failure}`);
}

function read(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`${path} cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown'}`, {
      cause: error,
    });
  }
}

function failureOf(attempt: () => unknown): string | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    return error instanceof Error && 'reason' in error ? String(error.reason) : 'it was refused';
  }
}
