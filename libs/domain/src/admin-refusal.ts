/**
 * Why the admin API refused a call: the caller's address may not connect, or has too many connections or requests; the page of
 * another origin calls, or one that was loaded under another name; no token, one that nobody knows, one that is over or not valid
 * yet; a role that does not suffice; no valid certificate; what was sent is not HTTP.
 */
export const REFUSAL_CAUSES = [
  'address',
  'connections',
  'rate',
  'origin',
  'host',
  'no_token',
  'wrong_token',
  'expired_token',
  'role',
  'certificate',
  'unreadable',
] as const;
export type RefusalCause = (typeof REFUSAL_CAUSES)[number];

/** Calls that were refused for the same cause. */
export interface AdminRefusal {
  readonly cause: RefusalCause;
  /** Where they came from. */
  readonly address: string;
  /** Whose token they showed, where that is known. */
  readonly who?: string | undefined;
  readonly count: number;
}

/** What the admin API of one process refused over a while. */
export interface AdminRefusals {
  readonly windowMs: number;
  /** Of all of them; `refusals` has the first kinds of them only. */
  readonly count: number;
  readonly refusals: readonly AdminRefusal[];
}
