import type { Features } from '@usher/domain';
import type { RequestHead } from '@usher/http1';
import type { RateTicket } from '../rate/rate-ticket.ts';
import { RateWait } from '../rate/rate-wait.ts';
import type { RouteEntry } from '../routing-table.ts';
import { visitOf } from '../sticky/sticky.ts';
import type { ClientSide } from './client-side.ts';
import { Exchange } from './exchange.ts';
import { forwardRequestHead } from './forward-request.ts';
import type { LaneContext } from './lane-context.ts';
import { OutgoingRequest } from './outgoing-request.ts';
import type { RequestBody } from './request-body.ts';
import { TimeLimits } from './time-limits.ts';
import type { Ends, Visitor } from './visitor.ts';

/** A request that is to be served. */
export interface Arrived {
  readonly head: RequestHead;
  readonly route: RouteEntry;
  readonly features: Features;
  readonly id: string;
  readonly body: RequestBody | undefined;
  readonly startMs: number;
  /** It asks for a WebSocket and has a place among those. */
  readonly upgrade: boolean;
  /** How long the client waits for the end of the response. */
  readonly patienceMs: number;
  /** The rate limit that it is held to. */
  readonly rate: RateTicket | undefined;
}

/** What is known of it before its route; then also which rate limit that holds it to. */
export interface Asked extends Pick<Arrived, 'head' | 'id' | 'body' | 'startMs'> {
  rate: RateTicket | undefined;
}

/** What a visitor's request becomes; `ends` are those of its connection. */
export function openExchange(
  client: ClientSide,
  lane: LaneContext,
  visitor: Visitor,
  ends: Ends,
  { head, route, features, id, body, startMs, upgrade, patienceMs, rate }: Arrived,
): Exchange {
  const { pool } = route;
  const preface = visitor.proxyHeader(pool.settings.proxyProtocol, ends);
  const cookies = pool.sticky === undefined ? '' : visitOf(features)?.cookies;
  const forwarded = forwardRequestHead(head, id, visitor.peer, upgrade, cookies);
  const outgoing = new OutgoingRequest(forwarded, preface, head, body);
  const upstreams = pool.settings.http2 ? lane.sessions : lane.upstreams;
  const limits = new TimeLimits(startMs, patienceMs, lane.table.policy.timeouts.requestMs);
  const request = { route, features, upstreams, outgoing, id, startMs, limits };
  const exchange = new Exchange(client, lane, head, request);
  exchange.attempts.rate = rate;
  if (pool.panic && lane.debug !== undefined) exchange.attempts.panic = lane.debug.noteForHead(pool, head);
  return exchange;
}

/** Starts an exchange, at once or when it is known whether its client may have it. */
export function begin(exchange: Exchange, client: ClientSide, { admission, now }: LaneContext): void {
  const { rate, route, startMs } = exchange;
  if (rate?.outcome !== 'unknown') {
    exchange.start();
    return;
  }
  const onSettled = (): void => {
    const code = admission.judge(route, rate);
    if (code !== undefined) {
      exchange.onNoRoom(code, '');
      return;
    }
    exchange.start(now());
    client.resumeBody();
  };
  exchange.startAfter(new RateWait(admission.limiter, rate, startMs, onSettled));
}
