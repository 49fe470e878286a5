import type { Address, Listener } from '../settings.ts';
import { either, list, mapped } from '../types/collections.ts';
import { listenAddress, network } from '../types/network.ts';
import { trueOrFalse } from '../types/scalar.ts';
import { defaulted, optional, required, section } from '../types/section.ts';
import type { Type } from '../types/type.ts';
import { tls } from './tls.ts';

const keys = section({
  address: required({
    to: 'address',
    type: listenAddress,
    doc: 'Host and port; without a host every IPv4 address.',
  }),
  tls: optional('plain HTTP', {
    to: 'tls',
    type: tls,
    doc: 'Speaks TLS with its clients.',
  }),
  http2: defaulted(true, {
    to: 'http2',
    type: trueOrFalse,
    doc: 'Whether clients may speak HTTP/2: over TLS if they agree to it, in clear if they begin with it.',
  }),
  proxy_protocol: defaulted(false, {
    to: 'proxyProtocol',
    type: trueOrFalse,
    doc: 'Whether connections begin with a header of the PROXY protocol, version 1 or 2, that names the client, before TLS where that is spoken. One without it is closed.',
  }),
  proxy_protocol_from: defaulted([], {
    to: 'proxyProtocolFrom',
    type: list(network),
    doc: 'Networks in CIDR notation whose connections begin with the header; those from elsewhere are served without one. Empty: all connections begin with it.',
    why: 'Who may send the header may claim to be any client, so a listener that others can reach too needs the list.',
  }),
});

/** An address to take traffic on, alone or with what is special about it. */
export const listener: Type<Listener> = either(
  mapped(listenAddress, plain),
  mapped(keys, (given, _path, reading): Listener => {
    const { address, ...others } = given;
    if (!given.proxyProtocol && given.proxyProtocolFrom.length > 0) {
      reading.complain(given, 'proxy_protocol_from', 'has no effect without proxy_protocol: true');
    }
    return { ...address, ...others };
  }),
);

function plain(address: Address): Listener {
  return { ...address, http2: true, proxyProtocol: false, proxyProtocolFrom: [] };
}
