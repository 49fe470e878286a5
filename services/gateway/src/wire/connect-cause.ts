/** Why connections to backends do not come about, in few words that fit a metric. */
export type ConnectCause = 'refused' | 'unreachable' | 'timeout' | 'tls' | 'local' | 'other';

const CAUSES: Readonly<Record<string, ConnectCause>> = {
  ECONNREFUSED: 'refused',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  ETIMEDOUT: 'timeout',
  EADDRNOTAVAIL: 'local',
  EMFILE: 'local',
  ENFILE: 'local',
};

/** A connection that stood, but not as TLS, fails for a reason of TLS. */
export function connectCause(error: NodeJS.ErrnoException, overTls: boolean): ConnectCause {
  return CAUSES[error.code ?? ''] ?? (overTls ? 'tls' : 'other');
}
