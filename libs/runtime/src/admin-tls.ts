import type { RequestListener, ServerOptions } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { SecureContextOptions, TLSSocket } from 'node:tls';
import type { Clock, Log, TlsMaterial, TlsSource } from '@usher/ports';
import { FileWatch } from './file-watch.ts';

export interface AdminTlsOptions {
  readonly source: TlsSource;
  readonly clock: Clock;
  readonly log: Log;
  /** A handshake failed. */
  readonly refused: (address: string | undefined, cause: string) => void;
}

/**
 * A server that speaks TLS with the certificate of the source, and takes up a new one when its files change: connections that
 * are open stay. Whether clients are asked for certificates is settled at the start. Throws what is wrong with the files.
 */
export function createTlsServer(
  { source, clock, log, refused }: AdminTlsOptions,
  listener: RequestListener,
  options: ServerOptions,
): Server {
  const material = source.read();
  const { clientAuth } = material;
  const server = createServer(
    {
      ...options,
      ...contextOf(material),
      requestCert: clientAuth !== 'none',
      // What they show is looked at below, where it is still known who they are.
      rejectUnauthorized: false,
    },
    listener,
  );
  server.prependListener('secureConnection', (socket: TLSSocket) => {
    const shown = socket.getPeerX509Certificate() !== undefined;
    // A session that is resumed counts as authorized, even if nothing was shown when it began.
    const valid = shown ? socket.authorized : clientAuth === 'optional';
    if (clientAuth === 'none' || valid) return;
    refused(socket.remoteAddress, String(socket.authorizationError ?? 'no certificate'));
    socket.destroy();
  });
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
    // Whoever only looks whether somebody listens, as checks of health do, is not refused.
    if (error.code !== 'ECONNRESET') refused(socket.remoteAddress, error.code ?? error.message);
  });
  const watch = new FileWatch(source.files, clock, log, () => {
    try {
      server.setSecureContext(contextOf(source.read()));
    } catch (error) {
      const cause = (error as Error).message;
      log.error('the new certificate of the admin API cannot be used, the old one stays', { cause });
    }
  });
  server.once('close', () => watch.stop());
  return server;
}

function contextOf({ certificates, minVersion, ciphers, clientCa }: TlsMaterial): SecureContextOptions {
  return {
    cert: certificates.map(({ cert }) => cert),
    key: certificates.map(({ key }) => key),
    minVersion,
    ciphers,
    ...(clientCa === undefined ? {} : { ca: clientCa }),
  };
}
