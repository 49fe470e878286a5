import type { Socket } from 'node:net';
import type { Log } from '@usher/ports';
import { makeCertificate } from '@usher/testing';
import type { ProxyClaim } from '../proxy-protocol/parse.ts';
import { TlsCounters } from '../tls/counters.ts';
import { TlsListener } from '../tls/tls-listener.ts';
import type { Arrivals } from '../worker/arrivals.ts';

const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };

/** Shakes hands with the clients of a lane that is tested without a gateway. */
export function tlsFront(
  accept: (socket: Socket, claim?: ProxyClaim) => void,
  arrivals: Arrivals,
): TlsListener {
  return new TlsListener(
    {
      certificates: [{ ...makeCertificate(), names: [], expiresMs: 0 }],
      minVersion: 'TLSv1.2',
      ciphers: 'TLS_AES_128_GCM_SHA256',
      clientAuth: 'none',
      ticketKeys: new Uint8Array(48),
    },
    {
      accept,
      protocols: ['h2', 'http/1.1'],
      now: () => performance.now(),
      arrivals,
      counters: new TlsCounters(),
      log: silent,
    },
  );
}
