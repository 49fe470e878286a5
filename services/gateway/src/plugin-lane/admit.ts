import type { IncomingMessage, ServerResponse } from 'node:http';
import { rateKeyOfMessage } from '../rate/rate-key.ts';
import type { RateTicket } from '../rate/rate-ticket.ts';
import type { RouteEntry } from '../routing-table.ts';
import { MessageRequest } from '../traffic/traffic-request.ts';
import type { WireLaneOptions } from '../wire/lane-context.ts';
import type { Peer, PeerDirectory } from '../wire/peer.ts';
import type { EditedResponse } from './edited-response.ts';
import { sendAway, sendPlainProblem, target } from './raw-requests.ts';

/** One request before anything is done for it. */
export interface Applicant {
  readonly request: IncomingMessage;
  readonly response: EditedResponse;
  readonly entry: RouteEntry;
  readonly peer: Peer;
  readonly requestId: string;
}

type Tools = Pick<WireLaneOptions, 'admission' | 'now'> & { readonly peers: PeerDirectory };

/**
 * Calls `serve`, at once or a little later, unless something speaks against the request: then its client is told so. What is
 * looked at, and in which order, is the same as in the wire lane.
 */
export function admit(
  applicant: Applicant,
  { admission, now, peers }: Tools,
  serve: (seen: MessageRequest | undefined) => void,
): void {
  const { request, response, entry, peer, requestId } = applicant;
  const { traffic, settings } = entry;
  if (admission.memoryLevel > 0) response.setHeader('connection', 'close');
  if (admission.sheds(entry)) {
    sendPlainProblem(response, 'overloaded', requestId);
    return;
  }
  let seen: MessageRequest | undefined;
  if (traffic !== undefined) {
    seen = new MessageRequest(request, target(request).host, { route: settings.id, requestId, peer, peers });
    response.edits = traffic.answerEdits(seen);
    const answer = traffic.judge(seen);
    if (answer !== undefined) {
      sendAway(response, admission.answered(entry, answer), requestId);
      return;
    }
  }
  const serveCaller = (): void => {
    const unknown = seen === undefined ? undefined : traffic?.identify(seen, now());
    if (unknown === undefined) serve(seen);
    else sendAway(response, admission.answered(entry, unknown), requestId);
  };
  if (entry.rule === undefined) {
    serveCaller();
    return;
  }
  const { limiter } = admission;
  const ticket = limiter.take(entry.rule, rateKeyOfMessage(request, entry.rule, peer, peers), now());
  const onSettled = (): void => {
    const code = admission.judge(entry, ticket);
    tell(response, ticket);
    if (code === undefined) serveCaller();
    else sendPlainProblem(response, code, requestId, ticket.retryAfterS);
  };
  if (ticket.outcome === 'unknown') response.once('close', limiter.wait(ticket, onSettled));
  else onSettled();
}

function tell(response: ServerResponse, { rule, state }: RateTicket): void {
  response.setHeader('ratelimit-policy', rule.policy);
  response.setHeader('ratelimit', state);
}
