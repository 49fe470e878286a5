import type { IncomingMessage, ServerResponse } from 'node:http';
import { rateKeyOfMessage } from '../rate/rate-key.ts';
import type { RateTicket } from '../rate/rate-ticket.ts';
import type { RouteEntry } from '../routing-table.ts';
import type { WireLaneOptions } from '../wire/lane-context.ts';
import type { Peer, PeerDirectory } from '../wire/peer.ts';
import { sendPlainProblem } from './raw-requests.ts';

/** One request before anything is done for it. */
export interface Applicant {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly entry: RouteEntry;
  readonly peer: Peer;
  readonly requestId: string;
}

type Tools = Pick<WireLaneOptions, 'admission' | 'now'> & { readonly peers: PeerDirectory };

/** Calls `serve`, at once or a little later, unless there is too much to do or the client has sent too many: then it is told so. */
export function admit(applicant: Applicant, { admission, now, peers }: Tools, serve: () => void): void {
  const { request, response, entry, peer, requestId } = applicant;
  if (admission.memoryLevel > 0) response.setHeader('connection', 'close');
  if (admission.sheds(entry)) {
    sendPlainProblem(response, 'overloaded', requestId);
    return;
  }
  if (entry.rule === undefined) {
    serve();
    return;
  }
  const { limiter } = admission;
  const ticket = limiter.take(entry.rule, rateKeyOfMessage(request, entry.rule, peer, peers), now());
  const onSettled = (): void => {
    const code = admission.judge(entry, ticket);
    tell(response, ticket);
    if (code === undefined) serve();
    else sendPlainProblem(response, code, requestId, ticket.retryAfterS);
  };
  if (ticket.outcome === 'unknown') response.once('close', limiter.wait(ticket, onSettled));
  else onSettled();
}

function tell(response: ServerResponse, { rule, state }: RateTicket): void {
  response.setHeader('ratelimit-policy', rule.policy);
  response.setHeader('ratelimit', state);
}
