import type { Clock, Log } from '@usher/ports';
import type { ConnectionOptions } from 'nats';
import { authenticatorOf } from './credentials.ts';

export interface JetStreamOptions {
  /** URLs such as `nats://10.0.0.1:4222`. */
  readonly servers: readonly string[];
  /** A creds file or nkey seed, as text or as the path of a file. Absent = none. */
  readonly credentials?: string | undefined;
  /** Path of the certificates that are trusted, PEM; with it, TLS is needed. Absent = those that Node trusts, if the server asks for TLS. */
  readonly ca?: string | undefined;
  /** Name of this process; answers to it are sent to subjects below `_INBOX.<name>`. */
  readonly name: string;
  readonly log: Log;
  readonly clock: Clock;
}

export const INBOX_PREFIX = '_INBOX';

/** Below what subjects answers to a process are sent. */
export function inboxPrefixOf(name: string): string {
  return `${INBOX_PREFIX}.${name}`;
}

/** How the client of NATS connects. Throws when the credentials cannot be used. */
export function connectionOptions({
  servers,
  credentials,
  ca,
  name,
}: Omit<JetStreamOptions, 'log' | 'clock'>): ConnectionOptions {
  return {
    servers: [...servers],
    name,
    inboxPrefix: inboxPrefixOf(name),
    timeout: 2000,
    // Sees a link that died without a word after 10 to 15 seconds instead of 4 to 6 minutes.
    pingInterval: 5000,
    maxPingOut: 2,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 100,
    reconnectJitter: 100,
    ignoreAuthErrorAbort: true,
    noAsyncTraces: true,
    // Read again for each connection.
    ...(ca === undefined ? {} : { tls: { caFile: ca } }),
    ...(credentials === undefined ? {} : { authenticator: authenticatorOf(credentials) }),
  };
}
