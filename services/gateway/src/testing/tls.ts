import { renameSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { type TlsSettings, tlsSource } from '@usher/config';
import type { TlsSource } from '@usher/ports';
import { makeCertificate, type TestCertificate, tempDir } from '@usher/testing';
import type { Answer, Ask } from './http.ts';

/** Who signs the servers of the tests, and who signs their clients. */
const SERVER_CA = makeCertificate({ commonName: 'server authority', authority: true });
export const CLIENT_CA = makeCertificate({ commonName: 'client authority', authority: true });

export function serverFor(...names: string[]): TestCertificate {
  return makeCertificate({ commonName: names[0] ?? 'test', names, issuer: SERVER_CA });
}

/** The files of one listener, in a folder of their own. */
export class ListenerFiles {
  readonly source: TlsSource;
  readonly #dir = tempDir();
  #written = 0;

  constructor(
    certificates: readonly TestCertificate[],
    settings: Partial<Omit<TlsSettings, 'certificates' | 'clientCa'>> & { readonly clientCa?: string } = {},
  ) {
    for (const [index, certificate] of certificates.entries()) this.replace(index, certificate);
    const { clientCa, ...others } = settings;
    if (clientCa !== undefined) writeFileSync(this.path('clients.pem'), clientCa);
    this.source = tlsSource({
      certificates: certificates.map((_, index) => ({
        cert: this.path(`${index}.pem`),
        key: this.path(`${index}.key`),
      })),
      minVersion: '1.2',
      ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256',
      clientAuth: 'none',
      ...others,
      ...(clientCa === undefined ? {} : { clientCa: this.path('clients.pem') }),
    });
  }

  path(name: string): string {
    return join(this.#dir.path, name);
  }

  /** Puts new files in the place of those of a certificate, as certbot does: the key first, each by a rename. */
  replace(index: number, { cert, key }: TestCertificate): void {
    this.put(`${index}.key`, key);
    this.put(`${index}.pem`, cert);
  }

  put(name: string, text: string): void {
    const temporary = this.path(`new-${this.#written++}`);
    writeFileSync(temporary, text);
    renameSync(temporary, this.path(name));
  }

  remove(): void {
    this.#dir.remove();
  }
}

/** Shakes hands; rejects when that fails, or when the server ends the connection right after it. */
export async function shakeHands(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed')));
    socket.once('secureConnect', resolve);
  });
  socket.on('error', () => {});
  return socket;
}

/** The common name of the certificate that a server shows to a client that asks for `servername`. */
export async function shownTo(port: number, servername?: string): Promise<string | undefined> {
  const socket = await shakeHands(port, servername === undefined ? {} : { servername });
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return String(subject.CN);
}

/** One request over TLS, by default on a connection of its own. Rejects when the connection breaks. */
export async function askTls(
  port: number,
  {
    body,
    agent,
    tls,
    ...options
  }: Omit<Ask, 'agent'> & { readonly agent?: Agent; readonly tls?: ConnectionOptions } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { host: '127.0.0.1', port, agent: agent ?? false, rejectUnauthorized: false, ...tls, ...options },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () => {
          const whole = Buffer.concat(chunks);
          const { statusCode = 0, headers } = incoming;
          resolve({ status: statusCode, headers, body: whole, text: whole.toString() });
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** One connection for several requests, one after the other. */
export function oneTlsConnection(): Agent {
  return new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });
}
