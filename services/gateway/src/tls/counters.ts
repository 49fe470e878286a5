/** Why handshakes fail: slow or silent clients, clients that speak something else, no version or cipher or protocol in common, … */
export const HANDSHAKE_FAILURES = [
  'timeout',
  'closed',
  'not_tls',
  'nothing_in_common',
  'client_certificate',
  'refused_by_client',
  'overloaded',
  'other',
] as const;
export type HandshakeFailure = (typeof HANDSHAKE_FAILURES)[number];

/** What became of the handshakes of one worker since it started. */
export interface TlsCounts {
  /** Done in full. */
  readonly full: number;
  /** Shortened, because the client came back with a session. */
  readonly resumed: number;
  /** In the order of `HANDSHAKE_FAILURES`. */
  readonly failures: readonly number[];
}

/** Plain cells, read when somebody asks. */
export class TlsCounters {
  full = 0;
  resumed = 0;
  readonly #failures = new Float64Array(HANDSHAKE_FAILURES.length);

  failed(why: HandshakeFailure): void {
    this.#failures[HANDSHAKE_FAILURES.indexOf(why)]! += 1;
  }

  read(): TlsCounts {
    return { full: this.full, resumed: this.resumed, failures: [...this.#failures] };
  }
}

const BY_CODE: Readonly<Record<string, HandshakeFailure>> = {
  ECONNRESET: 'closed',
  EPIPE: 'closed',
  ERR_SSL_HTTP_REQUEST: 'not_tls',
  ERR_SSL_HTTPS_PROXY_REQUEST: 'not_tls',
  ERR_SSL_WRONG_VERSION_NUMBER: 'not_tls',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'not_tls',
  ERR_SSL_BAD_RECORD_TYPE: 'not_tls',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'nothing_in_common',
  ERR_SSL_VERSION_TOO_LOW: 'nothing_in_common',
  ERR_SSL_NO_SHARED_CIPHER: 'nothing_in_common',
  ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM: 'nothing_in_common',
  ERR_SSL_NO_SUITABLE_KEY_SHARE: 'nothing_in_common',
  ERR_SSL_NO_APPLICATION_PROTOCOL: 'nothing_in_common',
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: 'client_certificate',
};

/** What an error during a handshake means; without one the client just left. */
export function failureOf(error: NodeJS.ErrnoException | undefined): HandshakeFailure {
  if (error === undefined) return 'closed';
  const { code = '' } = error;
  return BY_CODE[code] ?? (code.includes('_ALERT_') ? 'refused_by_client' : 'other');
}
