import type { SharedSettings, TargetSettings } from '@usher/domain';

/** Local settings: they belong to the process that reads the file and are never written to the log. */
export interface LocalSettings {
  /** Name of this process in the fleet. Default: the host name made fit for an id. */
  readonly name: string;
  readonly listen: readonly Listener[];
  readonly workers: number | 'auto';
  readonly admin: AdminSettings | null;
  readonly metrics: MetricsSettings | null;
  /** Undefined: clients of Opsen are not served. */
  readonly opsen?: OpsenSettings | undefined;
  /** Undefined: callers of Helios' admin API are not served. */
  readonly helios?: HeliosSettings | undefined;
  readonly bus: BusSettings;
  readonly store: StoreSettings;
  /** Directory of the embedded log and store, absolute. */
  readonly data: string;
  /** Where addresses are; absent = nobody knows. */
  readonly geoip?: { /** Absolute path. */ readonly database: string } | undefined;
  /** Requests that show it are answered with more than others; absent = none are. */
  readonly debugToken?: string | undefined;
  readonly overload: OverloadSettings;
  readonly logging: { readonly level: 'debug' | 'info' | 'warn' | 'error'; readonly format: 'json' | 'text' };
}

/** When a process does without some of the requests. */
export interface OverloadSettings {
  /** What it may take; undefined = what its control group or machine has. */
  readonly memoryBytes?: number | undefined;
  /** Shares of that, 0..1; 0 = never. */
  readonly memorySoft: number;
  readonly memoryHard: number;
  /** 0 = it does not count. */
  readonly loopDelayMs: number;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Whose names metrics can have beside Usher's own. */
export const METRICS_FORMATS = ['connx', 'velo'] as const;

export interface MetricsSettings extends Address {
  /** Where they are. */
  readonly path: string;
  /** Undefined: Usher's own. */
  readonly format?: (typeof METRICS_FORMATS)[number] | undefined;
}

/** The API for callers of Helios' admin API. */
export interface HeliosSettings extends Address {
  /** Whose backends and strategy it is about. */
  readonly pool: string;
}

/** Where traffic comes in. */
export interface Listener extends Address {
  /** Left out, it is plain. */
  readonly tls?: TlsSettings | undefined;
  /** Clients may speak HTTP/2 too. */
  readonly http2: boolean;
  /** Connections begin with a header of the PROXY protocol. */
  readonly proxyProtocol: boolean;
  /** Networks in CIDR notation whose connections do; empty = all. */
  readonly proxyProtocolFrom: readonly string[];
}

export interface TlsSettings {
  /** The first is for clients that name no host, or none that the others are for. */
  readonly certificates: readonly CertificateFiles[];
  readonly minVersion: '1.2' | '1.3';
  /** In the notation of OpenSSL. */
  readonly ciphers: string;
  readonly clientAuth: 'none' | 'optional' | 'required';
  /** Absolute. */
  readonly clientCa?: string | undefined;
}

/** Absolute paths of PEM files. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

export interface AdminSettings extends Address {
  /** Empty, and without `jwt`: no token needed, which is allowed on loopback addresses only. */
  readonly tokens: readonly AdminToken[];
  /** Whose signed tokens are taken too. */
  readonly jwt?: AdminJwtSettings | undefined;
  /** Networks in CIDR notation that may connect. */
  readonly allow: readonly string[];
  /** Networks that may not, whatever `allow` says. */
  readonly deny: readonly string[];
  /** Left out, it is plain. Has one certificate. */
  readonly tls?: TlsSettings | undefined;
  readonly limits: {
    readonly bodyBytes: number;
    readonly connections: number;
    readonly connectionsPerIp: number;
    readonly requestsPerS: number;
  };
}

/** Tokens that somebody else issues and signs. */
export interface AdminJwtSettings {
  readonly issuer: string;
  readonly audience: string;
  readonly keys: readonly AdminJwtKey[];
  /** Where the issuer publishes its keys: a URL, or a file by its absolute path. */
  readonly jwks?: { readonly url: string } | { readonly file: string } | undefined;
  /** Which of those are used. */
  readonly algorithms: readonly ('RS256' | 'ES256' | 'EdDSA')[];
  readonly roleClaim: string;
}

export interface AdminJwtKey {
  /** What tokens call it. */
  readonly id?: string | undefined;
  readonly algorithm: 'HS256' | 'RS256' | 'ES256' | 'EdDSA';
  /** The secret itself for HS256, else the public key in PEM form. */
  readonly key: string;
}

/** The API for clients of Opsen. */
export interface OpsenSettings extends Address {
  /** Whose backends register, and in which is decided. */
  readonly pool: string;
  /** Empty = none needed, which is allowed on loopback addresses only. */
  readonly keys: readonly string[];
  /** Where endpoints may be. */
  readonly endpoints: TargetSettings;
  /** A client that has been silent for longer is stale. */
  readonly staleAfterMs: number;
}

export interface AdminToken {
  readonly name: string;
  readonly secret: string;
  readonly role: 'read' | 'operate' | 'admin' | 'agent';
  /** The backend that an `agent` speaks for. */
  readonly backend?: string | undefined;
}

export type BusSettings =
  | { readonly type: 'embedded' }
  | {
      readonly type: 'nats';
      readonly servers: readonly string[];
      readonly credentials?: string | undefined;
      /** Absolute path of the certificates that are trusted. With it, TLS is needed. */
      readonly ca?: string | undefined;
    };

export type StoreSettings = { readonly type: 'embedded' } | { readonly type: 'redis'; readonly url: string };

/** A whole configuration with every default filled in. */
export interface UsherConfig {
  readonly local: LocalSettings;
  readonly shared: SharedSettings;
}
