import type { OpsenSettings } from '../settings.ts';
import { list, mapped } from '../types/collections.ts';
import { id } from '../types/names.ts';
import { listenAddress } from '../types/network.ts';
import { plainSecret } from '../types/secret.ts';
import { defaulted, required, section } from '../types/section.ts';
import { targets } from '../types/targets.ts';
import type { Type } from '../types/type.ts';
import { duration } from '../types/units.ts';

const PRIVATE_NETWORKS = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fd00::/8'];

/** The API for clients of Opsen. Address and the rest become one level. */
export const opsen: Type<OpsenSettings> = mapped(
  section({
    address: defaulted('127.0.0.1:9092', {
      to: 'address',
      type: listenAddress,
      doc: 'Where it listens.',
    }),
    pool: required({
      to: 'pool',
      type: id,
      doc: 'Pool whose backends register here, and in which is decided. It needs `agents: true`, and `tiers` for decisions.',
    }),
    keys: defaulted([], {
      to: 'keys',
      type: list(plainSecret('the text of a key')),
      doc: 'What callers show as `X-API-Key`, better as `env:NAME` or `file:path` than written out. Without any, everyone on this machine may call, and another address than a loopback one is refused.',
    }),
    endpoints: defaulted(PRIVATE_NETWORKS, {
      to: 'endpoints',
      type: targets,
      doc: 'Networks and hosts in which the endpoints that register here may be, written as `targets` of a pool. Those of the pool count too.',
      why: 'Requests go wherever an endpoint says. Whoever has a key shall not have them sent to this machine, or to what only it can reach.',
    }),
    stale_after: defaulted('5m', {
      to: 'staleAfterMs',
      type: duration({ min: '5s', max: '168h' }),
      doc: 'A client that has been silent for longer has no resources, and `/clients/purge` takes it away.',
    }),
  }),
  ({ address, ...others }): OpsenSettings => ({ ...address, ...others }),
);
