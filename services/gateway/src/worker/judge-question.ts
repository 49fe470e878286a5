import type { PolicyVerdict } from '@usher/domain';
import type { RequestHead } from '@usher/http1';
import type { RouteEntry } from '../routing-table.ts';
import type { TrafficAnswer } from '../traffic/route-traffic.ts';
import { HeadRequest } from '../traffic/traffic-request.ts';
import type { Peer, PeerDirectory } from '../wire/peer.ts';

/** A request that is asked about. */
interface AskedAbout {
  readonly head: RequestHead;
  readonly peer: Peer;
  readonly peers: PeerDirectory;
  readonly nowMs: number;
}

/** What the policy of a route makes of a request. */
export interface Judged {
  readonly answer: TrafficAnswer | undefined;
  readonly verdict: PolicyVerdict;
}

/** Undefined for a route without policy. Nothing is counted, and no rate limit is asked. */
export function judgeQuestion(
  { traffic, settings }: RouteEntry,
  { head, peer, peers, nowMs }: AskedAbout,
): Judged | undefined {
  if (traffic === undefined) return undefined;
  const seen = new HeadRequest(head, { route: settings.id, requestId: '', peer, peers });
  const answer = traffic.judge(seen) ?? traffic.identify(seen, nowMs);
  const target = `${seen.path}${seen.query}`;
  const sent = answer === undefined ? traffic.target(target) : target;
  return {
    answer,
    verdict: {
      answered: answer?.reason ?? null,
      status: answer?.status ?? null,
      location: locationIn(answer?.fields ?? []),
      rewritten: sent === target ? null : sent,
    },
  };
}

function locationIn(fields: readonly string[]): string | null {
  const at = fields.indexOf('location');
  return at < 0 ? null : (fields[at + 1] ?? null);
}
