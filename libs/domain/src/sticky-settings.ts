/** Shared settings of what keeps the requests of a client on one backend, normalised as all shared settings are. */

/** How long a client's requests stay with one backend: in all, and without any request. */
interface StickySpan {
  readonly ttlMs: number;
  readonly idleMs: number;
  /** A client's requests of another tier go where those of the first are, as long as they can. */
  readonly affinity: boolean;
}

export const SAME_SITES = ['lax', 'strict', 'none'] as const;
export const SECURE_MODES = ['auto', 'always', 'never'] as const;

export interface StickyCookieSettings extends StickySpan {
  readonly by: 'cookie';
  readonly name: string;
  readonly path: string;
  /** Absent = only the host that was asked. */
  readonly domain?: string | undefined;
  readonly sameSite: (typeof SAME_SITES)[number];
  /** `auto`: where the client came over TLS. */
  readonly secure: (typeof SECURE_MODES)[number];
  /** References `env:NAME` or `file:/path`, which every gateway looks up itself. The first signs, all of them count. Empty: the fleet makes its own. */
  readonly keys: readonly string[];
}

/** By what a client is known, and how long its requests stay together. */
export type StickySettings =
  | StickyCookieSettings
  /** `name` is in lower case. `fallback`: by what a client is known that sends none. */
  | ({ readonly by: 'header'; readonly name: string; readonly fallback: 'none' | 'ip' } & StickySpan)
  /** An IPv6 client is its /64 network. */
  | ({ readonly by: 'ip' } & StickySpan);

/** Why requests of a client go to another backend than before. */
export const STICKY_MOVE_REASONS = [
  'gone',
  'draining',
  'drained',
  'disabled',
  'unhealthy',
  'unknown',
  'breaker_open',
  'weight',
  'full',
  'failed',
] as const;
export type StickyMoveReason = (typeof STICKY_MOVE_REASONS)[number];
