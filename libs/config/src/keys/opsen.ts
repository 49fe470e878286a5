import type { OpsenSettings } from '../settings.ts';
import { list, mapped } from '../types/collections.ts';
import { id, parseRouteHost } from '../types/names.ts';
import { listenAddress, parseNetwork } from '../types/network.ts';
import { text } from '../types/scalar.ts';
import { plainSecret } from '../types/secret.ts';
import { defaulted, required, section } from '../types/section.ts';
import type { Type } from '../types/type.ts';

const PRIVATE_NETWORKS = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fd00::/8'];

/** Where backends may be. */
const whereabouts: Type<string> = text({
  expects: 'a network such as 10.0.0.0/8, or a host such as gpu.example.com or *.example.com',
  standIn: '10.0.0.0/8',
  parse: (written) => (isNetwork(written) ? parseNetwork(written) : parseRouteHost(written)),
});

function isNetwork(written: string): boolean {
  return written.includes('/') || written.includes(':') || /^[0-9.]+$/.test(written);
}

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
      type: list(whereabouts, { min: 1 }),
      doc: 'Networks and hosts in which the endpoints that register may be.',
      why: 'Requests go wherever an endpoint says. Whoever has a key shall not have them sent to this machine, or to what only it can reach.',
    }),
  }),
  ({ address, endpoints, ...others }): OpsenSettings => ({
    ...address,
    ...others,
    endpoints: {
      networks: endpoints.filter((each) => isNetwork(each)),
      names: endpoints.filter((each) => !isNetwork(each)),
    },
  }),
);
