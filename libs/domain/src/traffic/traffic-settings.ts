/** What a gateway does with the requests of a route and their answers beside sending them to a backend. */

/** Networks in CIDR notation. `deny` wins; with an empty `allow` everybody else may. */
export interface ClientListSettings {
  readonly allow: readonly string[];
  readonly deny: readonly string[];
}

export const REDIRECT_STATUSES = [301, 302, 303, 307, 308] as const;

/** `https`: whoever does not come over TLS is sent to the same URL with https. */
export type RedirectSettings =
  | 'https'
  | {
      readonly status: (typeof REDIRECT_STATUSES)[number];
      /** A template of the URL. */
      readonly to: string;
    };

/** `strip` is taken off the beginning of a path that is it or lies below it; then `add` is put in front. */
export interface RewriteSettings {
  readonly strip?: string | undefined;
  readonly add?: string | undefined;
}

/** Templates by the names of headers, which are in lower case. */
export interface HeaderEditSettings {
  /** Instead of all lines of that name. */
  readonly set: Readonly<Record<string, string>>;
  /** Beside those there are. */
  readonly add: Readonly<Record<string, string>>;
  readonly remove: readonly string[];
}

/** What an answer gets that has no header of that name. */
export interface SecurityHeaderSettings {
  /** Over TLS only. Absent = none. */
  readonly hsts?: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

export interface CorsSettings {
  /** As browsers send them; `*` alone for all. */
  readonly origins: readonly string[];
  readonly methods: readonly string[];
  /** `*` for whatever is asked for. */
  readonly headers: readonly string[];
  readonly expose: readonly string[];
  /** Never with all origins. */
  readonly credentials: boolean;
  readonly maxAgeS: number;
}

/** Who may call by showing a key. */
export interface ApiKeySettings {
  /** Name of the header, in lower case. */
  readonly header: string;
  /** No key can be found out from its SHA-256, in hexadecimal. */
  readonly keys: readonly { readonly name: string; readonly sha256: string }[];
}

/** Whose keys everybody may see. */
export const TOKEN_ALGORITHMS = ['RS256', 'ES256', 'EdDSA'] as const;

/** What tokens are checked with; `id` is what they call it. */
export type TokenKeySettings =
  /** A public key in PEM form, which everybody may see. */
  | {
      readonly id?: string | undefined;
      readonly algorithm: (typeof TOKEN_ALGORITHMS)[number];
      readonly key: string;
    }
  /** A secret, of which only the place is told: `env:NAME`, or `file:` and an absolute path. Each gateway looks there itself. */
  | { readonly id?: string | undefined; readonly algorithm: 'HS256'; readonly reference: string };

/** Who may call by showing a signed token. */
export interface TokenSettings {
  /** Who issues the tokens (`iss`), exactly. */
  readonly issuer: string;
  /** For whom they are (`aud`). */
  readonly audience: string;
  readonly keys: readonly TokenKeySettings[];
  /** Where the issuer publishes further keys: a URL, or a file by its absolute path. Absent = nowhere. */
  readonly jwks?: { readonly url: string } | { readonly file: string } | undefined;
  /** Claims by the headers, in lower case, in which backends get them. Absent = none. */
  readonly claimHeaders?: Readonly<Record<string, string>> | undefined;
}

export const REQUEST_ID_TRUST = ['anyone', 'trusted_proxies', 'nobody'] as const;

export interface RequestIdSettings {
  /** Name of the header with the id, in lower case. */
  readonly header: string;
  /** Whose ids are kept. */
  readonly trust: (typeof REQUEST_ID_TRUST)[number];
}

/** One part of it per key; `none` is meant for a route that does without what all others have. */
export interface TrafficSettings {
  readonly clients?: ClientListSettings | 'none' | undefined;
  readonly redirect?: RedirectSettings | 'none' | undefined;
  readonly cors?: CorsSettings | 'none' | undefined;
  readonly apiKeys?: ApiKeySettings | 'none' | undefined;
  readonly jwt?: TokenSettings | 'none' | undefined;
  /** Largest body of a request, instead of that of the limits; 0 = unlimited. */
  readonly bodyBytes?: number | undefined;
  readonly requestId?: RequestIdSettings | 'none' | undefined;
  readonly rewrite?: RewriteSettings | undefined;
  readonly requestHeaders?: HeaderEditSettings | 'none' | undefined;
  readonly responseHeaders?: HeaderEditSettings | 'none' | undefined;
  readonly securityHeaders?: SecurityHeaderSettings | 'none' | undefined;
}
