import type { Log } from '@usher/ports';
import { type Accept, ProxyListener } from '../proxy-protocol/proxy-listener.ts';
import { ProxySenders } from '../proxy-protocol/senders.ts';
import type { TlsCounters } from '../tls/counters.ts';
import { TlsListener } from '../tls/tls-listener.ts';
import type { WireCounters } from '../wire/counters.ts';
import type { WireLane } from '../wire/lane.ts';
import type { Arrivals } from './arrivals.ts';
import type { Acceptor } from './listeners.ts';
import type { ListenerStart } from './protocol.ts';

export interface AcceptorTools {
  readonly arrivals: Arrivals;
  readonly wire: WireLane;
  readonly counters: WireCounters;
  readonly tlsCounters: TlsCounters;
  readonly log: Log;
  readonly now: () => number;
}

/** Plain listeners have no certificates. */
function ignore(): void {}

/** What the connections of a listener go through: its PROXY header comes before its handshake, and both before the lane. */
export function createAcceptor(settings: ListenerStart, tools: AcceptorTools): Acceptor {
  const { arrivals, wire, counters, tlsCounters, now, log } = tools;
  const { tls, http2 = true, proxyProtocol, proxyProtocolFrom } = settings;
  let next: Accept = (socket, claim, first) => wire.accept(socket, http2, claim, first);
  let update: Acceptor['update'] = ignore;
  if (tls !== undefined) {
    const protocols = http2 ? ['h2', 'http/1.1'] : ['http/1.1'];
    const accept = next;
    const listener = new TlsListener(tls, { accept, protocols, arrivals, now, counters: tlsCounters, log });
    next = (socket, claim, first) => listener.accept(socket, claim, first);
    update = (changed) => listener.update(changed);
  }
  if (proxyProtocol !== true) return { accept: next, update };
  const listener = new ProxyListener(new ProxySenders(proxyProtocolFrom ?? []), { next, arrivals, counters });
  return { accept: (socket) => listener.accept(socket), update };
}
