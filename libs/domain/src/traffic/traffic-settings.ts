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

/** One part of it per key; `none` is meant for a route that does without what all others have. */
export interface TrafficSettings {
  readonly clients?: ClientListSettings | 'none' | undefined;
  readonly redirect?: RedirectSettings | 'none' | undefined;
  readonly rewrite?: RewriteSettings | undefined;
  readonly requestHeaders?: HeaderEditSettings | 'none' | undefined;
  readonly responseHeaders?: HeaderEditSettings | 'none' | undefined;
  readonly securityHeaders?: SecurityHeaderSettings | 'none' | undefined;
}
