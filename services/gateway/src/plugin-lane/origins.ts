import type { Socket } from 'node:net';
import type { BackendSlot, RoutingTable } from '../routing-table.ts';
import type { Dialler } from '../wire/dialler.ts';

type Done = (...result: [null, Socket] | [Error, null]) => void;

/**
 * The origin by which undici knows a backend. It is no real one, because where and how to connect is for the dialler to
 * say, and it changes when an address goes: connections to that one then get no new requests.
 */
export function originOf({ index, addresses }: BackendSlot): string {
  return `http://b${index}g${addresses.generation}.usher.invalid`;
}

/** What undici calls to connect to an origin. */
export function connector(
  table: RoutingTable,
  dialler: Dialler,
  timeoutMs: number,
): (options: { hostname: string }, done: Done) => void {
  return ({ hostname }, done) => {
    const slot = table.slotAt(Number(/^b(\d+)g/.exec(hostname)?.[1]));
    if (slot === undefined) {
      done(new Error(`no backend is called ${hostname}`), null);
      return;
    }
    void handOn(dialler.connect(slot, timeoutMs), done);
  };
}

async function handOn(connecting: Promise<Socket>, done: Done): Promise<void> {
  try {
    done(null, await connecting);
  } catch (error) {
    done(error as Error, null);
  }
}
