import type { ClientListSettings } from '@usher/domain';
import { list } from '../../types/collections.ts';
import { network } from '../../types/network.ts';
import { defaulted, section } from '../../types/section.ts';
import type { Type } from '../../types/type.ts';

/** Whose requests are served. */
export const clients: Type<ClientListSettings> = section({
  allow: defaulted([], {
    to: 'allow',
    type: list(network),
    doc: 'Networks whose clients are served; all others are answered with 403. Empty = every client is. The address is that of the connection or of its PROXY protocol header, or as told by `trusted_proxies` in X-Forwarded-For.',
  }),
  deny: defaulted([], {
    to: 'deny',
    type: list(network),
    doc: 'Networks whose clients are answered with 403, whatever `allow` says. An IPv4 address is the same in its IPv6 form, and `::/0` is about IPv6 alone.',
  }),
});
