import { keptAhead } from '@usher/domain';
import type { RateAsks } from './rate-asks.ts';
import type { RateCells } from './rate-cells.ts';
import type { RateRule } from './rate-rule.ts';
import { RateTicket } from './rate-ticket.ts';

/** One worker's part in holding clients to rate limits. */
export class RateLimiter {
  readonly #cells: RateCells;
  readonly #asks: RateAsks;
  readonly #now: () => number;

  constructor(cells: RateCells, asks: RateAsks, now: () => number) {
    this.#cells = cells;
    this.#asks = asks;
    this.#now = now;
  }

  setRules(rules: Iterable<RateRule>): void {
    this.#cells.setRules(rules);
  }

  /** Counts a request. Where its ticket says `unknown`, `wait` has to follow. */
  take(rule: RateRule, key: string, nowMs: number): RateTicket {
    const cells = this.#cells;
    const ticket = new RateTicket(rule, key);
    const { settings } = rule;
    if (settings.scope === 'local') {
      const verdict = cells.takeAlone(rule.id, key, rule, nowMs);
      ticket.settle(verdict === 'allowed' ? 'allowed' : 'limited', cells.left, cells.afterMs);
    } else if (cells.away) {
      this.#takeShare(ticket, nowMs);
    } else {
      const verdict = cells.takeInHand(rule, key, keptAhead(settings, cells.gateways), nowMs);
      if (verdict === 'ask' && this.#asks.full) this.#takeShare(ticket, nowMs);
      else if (verdict !== 'ask')
        ticket.settle(verdict === 'limited' ? 'limited' : 'allowed', cells.left, cells.afterMs);
      if (verdict === 'allowed_ask') this.#asks.askAhead(rule.id, key);
    }
    return ticket;
  }

  /** Asks the store about a ticket; `onSettled` is called once, later, unless what this answers was called. */
  wait(ticket: RateTicket, onSettled: () => void): () => void {
    const id = this.#asks.ask(ticket.rule.id, ticket.key, ({ outcome, left, afterMs }) => {
      if (outcome === 'away') this.#takeShare(ticket, this.#now());
      else ticket.settle(outcome, left, afterMs);
      onSettled();
    });
    return () => this.#asks.forget(id);
  }

  /** Counts it against this gateway's part of the limit: what all allow together is no more than the fleet would. */
  #takeShare(ticket: RateTicket, nowMs: number): void {
    const cells = this.#cells;
    const { rule, key } = ticket;
    const { gateways } = cells;
    const intervalNs = rule.intervalNs * gateways;
    const burstNs = Math.max(intervalNs, rule.burstNs - (rule.burstNs % intervalNs));
    const verdict = cells.takeAlone(rule.aloneId, key, { intervalNs, burstNs }, nowMs);
    ticket.settle(verdict === 'allowed' ? 'allowed' : 'limited', cells.left, cells.afterMs);
  }
}
