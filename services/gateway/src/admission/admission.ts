import { type ErrorCode, PRIORITIES, type PressureLevel, type Priority } from '@usher/domain';
import type { RateLimiter } from '../rate/rate-limiter.ts';
import type { RateTicket } from '../rate/rate-ticket.ts';
import type { RouteEntry } from '../routing-table.ts';
import { ANSWERED_FOR, type AnsweredFor, type TrafficAnswer } from '../traffic/route-traffic.ts';

/** Up to which level of pressure requests of a priority are served. */
export function rankOf(priority: Priority = 'normal'): number {
  return PRIORITIES.indexOf(priority);
}

/** How many requests of a route passed its rate limit, did not, and were not served because there was too much to do. */
export const ALLOWED = 0;
export const LIMITED = 1;
export const SHED = 2;
/** From here on, how many were answered by the policy of their route, for each reason. */
export const ANSWERED = 3;
export const ADMISSION_COUNTS = ANSWERED + ANSWERED_FOR.length;

/** What a worker looks at before it does anything for a request, the same in both lanes. */
export class Admission {
  readonly limiter: RateLimiter;
  /** How much the worker has to do. */
  level: PressureLevel = 0;
  /** How little memory is left: at 1 connections close after their answer, at 2 none is accepted. */
  memoryLevel: PressureLevel = 0;

  constructor(limiter: RateLimiter) {
    this.limiter = limiter;
  }

  /** There is too much to do for a request of this route. Counts those. */
  sheds({ rank, pool, counts }: RouteEntry): boolean {
    if (rank >= this.level && rank >= pool.pressure) return false;
    counts[SHED]! += 1;
    return true;
  }

  /** With what a request is refused that was held to a rate limit; undefined = it may pass, or that is not known yet. */
  judge({ counts }: RouteEntry, { outcome }: RateTicket): 'rate_limited' | undefined {
    if (outcome === 'unknown') return undefined;
    const limited = outcome === 'limited';
    counts[limited ? LIMITED : ALLOWED]! += 1;
    return limited ? 'rate_limited' : undefined;
  }

  /** Counts a request against its rate limit that is not served, whatever the store says of it. */
  countLater(route: RouteEntry, ticket: RateTicket): void {
    this.limiter.wait(ticket, () => this.judge(route, ticket));
  }

  /** Counts a request that the policy of its route answers. */
  answered<A extends TrafficAnswer>({ counts }: RouteEntry, answer: A): A {
    counts[ANSWERED + ANSWERED_FOR.indexOf(answer.reason)]! += 1;
    return answer;
  }

  /** Counts a request that is answered with why its body cannot be taken. */
  refusedBody({ counts }: RouteEntry, code: ErrorCode): void {
    const reason: AnsweredFor = code === 'body_too_large' ? 'body' : 'malformed';
    counts[ANSWERED + ANSWERED_FOR.indexOf(reason)]! += 1;
  }

  /** What all that are looked at have in common: the keys of their rules. */
  setRoutes(routes: readonly RouteEntry[]): void {
    this.limiter.setRules(routes.flatMap(({ rule }) => rule ?? []));
  }
}
