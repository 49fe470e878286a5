import { ERRORS, type ErrorCode, type Features } from '@usher/domain';
import type { HttpFault, RequestHead } from '@usher/http1';
import type { RateTicket } from '../rate/rate-ticket.ts';
import type { RouteEntry } from '../routing-table.ts';
import type { HeaderEdits } from '../traffic/header-edits.ts';
import type { RouteTraffic } from '../traffic/route-traffic.ts';
import { HeadRequest } from '../traffic/traffic-request.ts';
import type { LaneContext } from './lane-context.ts';
import { type TurnedAway, turnedAway } from './own-answer.ts';
import type { Peer, PeerDirectory } from './peer.ts';
import type { RequestBody } from './request-body.ts';
import type { Visitor } from './visitor.ts';

/** A request whose head was read, and what is found out about it before a backend is chosen. */
export interface Asked {
  readonly head: RequestHead;
  readonly id: string;
  readonly body: RequestBody | undefined;
  readonly startMs: number;
  /** The rate limit that its route holds it to. */
  rate: RateTicket | undefined;
  /** As the policy of its route sees it; undefined where that has none. */
  seen: HeadRequest | undefined;
  /** What that policy changes in the answer. */
  edits: HeaderEdits | undefined;
}

/**
 * Looks at a request in the order in which docs/traffic.md lists what may speak against it. Answers with what decides where it
 * goes, or with why it is turned away.
 */
export function examine(
  asked: Asked,
  route: RouteEntry,
  visitor: Visitor,
  { admission, peers }: LaneContext,
): Features | TurnedAway {
  const { head, startMs } = asked;
  const { traffic } = route;
  if (admission.sheds(route)) return turnedAway('overloaded');
  if (traffic !== undefined) {
    const seen = seenBy(traffic, asked, route, visitor.peer, peers);
    const answer = traffic.judge(seen);
    if (answer !== undefined) return admission.answered(route, answer);
  }
  asked.rate = visitor.holdToRate(head, route, startMs);
  if (asked.rate?.outcome === 'limited') return turnedAway('rate_limited');
  const unknown = asked.seen === undefined ? undefined : traffic?.identify(asked.seen, startMs);
  if (unknown !== undefined) {
    // Who guesses keys has used up a request all the same.
    if (asked.rate?.outcome === 'unknown') admission.countLater(route, asked.rate);
    return admission.answered(route, unknown);
  }
  const features = visitor.featuresOf(head, route);
  return typeof features === 'string' ? turnedAway('unknown_tier' satisfies ErrorCode, features) : features;
}

/** Turns a request away whose body cannot be taken. */
export function refuseBody(
  asked: Asked,
  { code, detail }: HttpFault,
  route: RouteEntry | undefined,
  { peer }: Visitor,
  { admission, counters, peers }: LaneContext,
): TurnedAway {
  if (ERRORS[code].status === 400) counters.badRequests += 1;
  if (route !== undefined) {
    if (route.traffic !== undefined) seenBy(route.traffic, asked, route, peer, peers);
    admission.refusedBody(route, code);
  }
  return turnedAway(code, detail);
}

function seenBy(
  traffic: RouteTraffic,
  asked: Asked,
  { settings }: RouteEntry,
  peer: Peer,
  peers: PeerDirectory,
): HeadRequest {
  const seen = new HeadRequest(asked.head, { route: settings.id, requestId: asked.id, peer, peers });
  asked.seen = seen;
  asked.edits = traffic.answerEdits(seen);
  return seen;
}
