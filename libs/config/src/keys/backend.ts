import { WEIGHT_MAX } from '@usher/domain';
import { either, mapped } from '../types/collections.ts';
import { id } from '../types/names.ts';
import { decimalNumber, wholeNumber } from '../types/scalar.ts';
import { defaulted, optional, required, section } from '../types/section.ts';
import type { Type } from '../types/type.ts';
import { backendUrl } from '../types/urls.ts';

/** A backend as a pool declares it; the pool adds its own id, and one for the backend where there is none. */
export interface DeclaredBackend {
  readonly id?: string | undefined;
  readonly url: string;
  readonly weight: number;
  readonly zone?: string | undefined;
  readonly maxConnections: number;
}

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
  weight: defaulted(1, {
    to: 'weight',
    type: decimalNumber({ min: 0, max: WEIGHT_MAX }),
    doc: 'Share of the requests in relation to the other backends of the pool; 0 = never chosen.',
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
});

/** A backend, or only its URL. */
export const backend: Type<DeclaredBackend> = either(
  mapped(backendUrl, (url): DeclaredBackend => ({ url, weight: 1, maxConnections: 0 })),
  keys,
);
