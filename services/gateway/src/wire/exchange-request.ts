import type { Features } from '@usher/domain';
import type { RequestHead } from '@usher/http1';
import type { RouteEntry } from '../routing-table.ts';
import type { OutgoingRequest } from './outgoing-request.ts';
import type { TimeLimits } from './time-limits.ts';
import type { Upstreams } from './upstream.ts';

/** What an exchange goes by of a head as it came. */
export type ReceivedHead = Pick<RequestHead, 'method' | 'minor'>;

/** What a request comes down to once its head was read and its route found. */
export interface ExchangeRequest {
  readonly route: RouteEntry;
  readonly features: Features;
  readonly upstreams: Upstreams;
  readonly outgoing: OutgoingRequest;
  readonly id: string;
  readonly startMs: number;
  readonly limits: TimeLimits;
}
