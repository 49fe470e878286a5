import { Admission } from '../admission/admission.ts';
import { RateAsks } from '../rate/rate-asks.ts';
import { RateCells } from '../rate/rate-cells.ts';
import { RateLimiter } from '../rate/rate-limiter.ts';
import type { RouteEntry } from '../routing-table.ts';

/** What lanes without a control thread have: rate limits count here, and nobody answers for the fleet. */
export function admissionTo(table: { readonly routes: readonly RouteEntry[] }): Admission {
  const asks = new RateAsks(() => {}, Date.now);
  const admission = new Admission(new RateLimiter(new RateCells(), asks, Date.now));
  admission.setRoutes(table.routes);
  return admission;
}
