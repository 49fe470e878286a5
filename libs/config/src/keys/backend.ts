import { type EndpointSettings, type Place, PRIORITY_MAX, type Resources, WEIGHT_MAX } from '@usher/domain';
import { either, list, mapped } from '../types/collections.ts';
import { endpointPath, id } from '../types/names.ts';
import { decimalNumber, wholeNumber } from '../types/scalar.ts';
import { defaulted, optional, required, section } from '../types/section.ts';
import type { Type } from '../types/type.ts';
import { backendUrl } from '../types/urls.ts';
import { capacity } from './resources.ts';

/** A backend as a pool declares it; the pool adds its own id, and one for the backend where there is none. */
export interface DeclaredBackend {
  readonly id?: string | undefined;
  readonly url: string;
  readonly endpoints?: readonly EndpointSettings[] | undefined;
  readonly weight: number;
  readonly priority?: number | undefined;
  readonly zone?: string | undefined;
  readonly place?: Place | undefined;
  readonly maxConnections: number;
  readonly capacity?: Resources | undefined;
}

const endpoint: Type<EndpointSettings> = section({
  path: required({
    to: 'path',
    type: endpointPath,
    doc: 'Paths that it is for: `/login` exactly, `/api/*` for `/api` and all below it, and anything else with `*` (any characters, also `/` and none) or `?` (one character) for what fits, such as `/*.png`. An exact path counts before a prefix and that before a wildcard; among prefixes and among wildcards the longer one counts, and the one declared first when they are equally long.',
    why: 'Classes that never mix can be told apart at a glance; `/*` therefore leaves nothing to wildcards.',
  }),
  url: required({
    to: 'url',
    type: backendUrl,
    doc: 'Scheme, host and port, as for the backend.',
  }),
});

const place: Type<Place> = section({
  latitude: required({
    to: 'latitude',
    type: decimalNumber({ min: -90, max: 90 }),
    doc: 'Degrees north of the equator, negative south of it.',
  }),
  longitude: required({
    to: 'longitude',
    type: decimalNumber({ min: -180, max: 180 }),
    doc: 'Degrees east of the prime meridian, negative west of it.',
  }),
});

const keys: Type<DeclaredBackend> = section({
  id: optional("the pool's id and the place in the list, such as `web-1`", {
    to: 'id',
    type: id,
    doc: 'Name of the backend, unique among the backends of all pools.',
    why: 'Commands, metrics and agents name a backend by it alone. A derived id moves to another backend when the list changes before it, so write it where it matters.',
  }),
  url: required({
    to: 'url',
    type: backendUrl,
    doc: 'Scheme (`http` or `https`), host and port (80 or 443 unless written); no path. A host name is resolved by the gateway, again every 30 seconds, and all of its addresses are used.',
  }),
  endpoints: optional('`url` is for every path', {
    to: 'endpoints',
    type: list(endpoint),
    doc: 'Where the backend listens for some paths; `url` is for all others. Limits, breaker and weight are those of the backend as a whole. It is healthy when all of its endpoints are, and gets requests only when all of their host names resolve.',
  }),
  weight: defaulted(1, {
    to: 'weight',
    type: decimalNumber({ min: 0, max: WEIGHT_MAX }),
    doc: 'Share of the requests in relation to the other backends of the pool; 0 = never chosen.',
  }),
  priority: optional('0', {
    to: 'priority',
    type: wholeNumber({ min: 0, max: PRIORITY_MAX }),
    doc: 'Backends with a larger number get requests only while none with a smaller one may: they stand in for those. A pool with several priorities is never in `panic`.',
  }),
  max_connections: defaulted(0, {
    to: 'maxConnections',
    type: wholeNumber({ min: 0, max: 1_000_000 }),
    doc: 'Most requests that each gateway has in progress on the backend at a time, all of its workers together; further ones go to other backends or wait, see `queue`. 0 = no limit.',
    why: 'A backend that works on few requests at a time answers sooner when the others wait here, where they can still go elsewhere.',
  }),
  zone: optional('no zone', {
    to: 'zone',
    type: id,
    doc: 'Where the backend is: a rack, a data centre, a region.',
  }),
  place: optional('unknown', {
    to: 'place',
    type: place,
    doc: 'Where on the Earth the backend is. Backends that are chosen by their resources are better the nearer they are to the client, see `scoring`; one of unknown place counts as far away as the others are on average.',
  }),
  capacity: optional('what its agent reports to be there', {
    to: 'capacity',
    type: capacity,
    doc: 'What reservations may fill of the backend, see `reserve`. What is left out it has none of.',
    why: 'It is never exceeded, however idle the backend looks; without an agent it is all that is known of it.',
  }),
});

/** A backend, or only its URL. */
export const backend: Type<DeclaredBackend> = either(
  mapped(backendUrl, (url): DeclaredBackend => ({ url, weight: 1, maxConnections: 0 })),
  keys,
);
