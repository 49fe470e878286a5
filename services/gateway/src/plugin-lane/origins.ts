import type { Socket } from 'node:net';
import type { BackendSlot, Endpoint, RoutingTable } from '../routing-table.ts';
import type { Dialler } from '../wire/dialler.ts';

type Done = (...result: [null, Socket] | [Error, null]) => void;

/**
 * The origin by which undici knows an endpoint of a backend. It is no real one, because where and how to connect is for the dialler to
 * say, and it changes when an address goes: connections to that one then get no new requests.
 */
export function originOf({ index }: BackendSlot, endpoint: Endpoint): string {
  return `http://b${index}e${endpoint.index}g${endpoint.addresses.generation}.usher.invalid`;
}

/** What undici calls to connect to an origin. */
export function connector(
  table: RoutingTable,
  dialler: Dialler,
  timeoutMs: number,
): (options: { hostname: string }, done: Done) => void {
  return ({ hostname }, done) => {
    const [, slot, index] = /^b(\d+)e(\d+)g/.exec(hostname) ?? [];
    const endpoint = table.slotAt(Number(slot))?.endpoints[Number(index)];
    if (endpoint === undefined) {
      done(new Error(`no backend is called ${hostname}`), null);
      return;
    }
    void handOn(dialler.connect(endpoint, timeoutMs), done);
  };
}

async function handOn(connecting: Promise<Socket>, done: Done): Promise<void> {
  try {
    done(null, await connecting);
  } catch (error) {
    done(error as Error, null);
  }
}
