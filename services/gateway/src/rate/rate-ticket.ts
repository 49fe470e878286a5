import type { RateRule } from './rate-rule.ts';

const MS_PER_S = 1_000;

/** Whether a request may pass. `unknown`: the store has to be asked. */
export type RateOutcome = 'allowed' | 'limited' | 'unknown';

/** One request that is held to a rate limit, and what its client is told about that. */
export class RateTicket {
  readonly rule: RateRule;
  readonly key: string;
  outcome: RateOutcome = 'unknown';
  private left = 0;
  private afterMs = 0;

  constructor(rule: RateRule, key: string) {
    this.rule = rule;
    this.key = key;
  }

  /** `afterMs`: until the bucket is full or, for who is limited, until the next request may pass. */
  settle(outcome: RateOutcome, left: number, afterMs: number): void {
    this.outcome = outcome;
    this.left = left;
    this.afterMs = afterMs;
  }

  /** Value of the header RateLimit (draft-ietf-httpapi-ratelimit-headers). */
  get state(): string {
    return `"${this.rule.name}";r=${this.left};t=${Math.ceil(this.afterMs / MS_PER_S)}`;
  }

  /** Of who is limited. */
  get retryAfterS(): number {
    return Math.max(1, Math.ceil(this.afterMs / MS_PER_S));
  }
}

/** The header lines that a ticket adds to a response, each with its CRLF; none without a ticket. */
export function rateLines(ticket: RateTicket | undefined): string {
  return ticket === undefined
    ? ''
    : `ratelimit-policy: ${ticket.rule.policy}\r\nratelimit: ${ticket.state}\r\n`;
}

/** The same as names and values in turn. */
export function rateFields(ticket: RateTicket | undefined): string[] {
  return ticket === undefined ? [] : ['ratelimit-policy', ticket.rule.policy, 'ratelimit', ticket.state];
}
