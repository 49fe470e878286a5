/** What a TLS listener proves itself with and asks of its clients, read from its files and found fit to be used. */
export interface TlsMaterial {
  /** At least one; the first is for clients that name no host, or one that none of the others is for. */
  readonly certificates: readonly TlsCertificate[];
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  /** Names of OpenSSL, separated by colons. */
  readonly ciphers: string;
  /** `required`: no connection without a valid certificate; `optional`: none with an invalid one. */
  readonly clientAuth: 'none' | 'optional' | 'required';
  /** Whose certificates are valid, PEM; there whenever clients are asked for one. */
  readonly clientCa?: string | undefined;
}

/** A certificate with its key, both PEM. The key must never be shown. */
export interface TlsCertificate {
  readonly cert: string;
  readonly key: string;
  /** The DNS names it is for, in lower case; the first label of a name may be `*`. */
  readonly names: readonly string[];
  /** Milliseconds since the Unix epoch. */
  readonly expiresMs: number;
}

/** Where the material of one listener comes from. */
export interface TlsSource {
  /** Absolute paths of the files that `read` reads: when one of them changes, the material may have changed. */
  readonly files: readonly string[];
  /** Reads the files as they are now. Throws an error that says what is wrong with which of them, and nothing of what is in them. */
  read(): TlsMaterial;
}
