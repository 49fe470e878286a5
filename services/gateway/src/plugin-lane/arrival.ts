import { BodyCopy } from '../mirror/body-copy.ts';
import type { MessageRequest } from '../traffic/traffic-request.ts';
import { type PlaceTools, placeOfMessage } from '../wire/client-place.ts';
import { keyOfMessage } from '../wire/request-key.ts';
import type { Applicant } from './admit.ts';
import type { Arrival } from './exchange.ts';
import { target } from './raw-requests.ts';

type Admitted = Omit<Applicant, 'response'> & { readonly seen: MessageRequest | undefined };

/** What is known of a request that is to be served, and of its copy if there is to be one. */
export function arrivalOf(admitted: Admitted, tools: PlaceTools): Arrival {
  const { mirror } = admitted.entry;
  const arrival = inPool(admitted, tools);
  if (mirror?.takes() !== true) return arrival;
  const copy = {
    arrival: inPool({ ...admitted, entry: mirror.entry }, tools),
    body: new BodyCopy([], false),
  };
  return { ...arrival, copy };
}

function inPool({ request, entry, peer, requestId, seen }: Admitted, tools: PlaceTools): Arrival {
  const { peers } = tools;
  const { hash, asksWhere, settings, sticky } = entry.pool;
  const key = hash === undefined ? 0 : keyOfMessage(request, target(request).path, peer, hash, peers);
  const from = asksWhere ? placeOfMessage(request, settings, peer, tools) : undefined;
  const visit = sticky?.visitMessage(request, peer, peers);
  return { entry, key, from, requestId, host: request.headers.host, peer, visit, seen };
}
