import { type Endpoint, parseProxyHeader } from '../proxy-protocol/parse.ts';
import type { ClientSocket, ClientSocketUser } from './client-socket.ts';
import type { WireCounters } from './counters.ts';

/**
 * The beginning of a connection whose sender first tells with the PROXY protocol whom it speaks for. Without a valid header
 * nobody knows who that is, so the connection is closed without an answer (section 2 of the specification).
 */
export class Announcement implements ClientSocketUser {
  private received: Buffer = Buffer.alloc(0);
  private readonly link: ClientSocket;
  private readonly next: ClientSocketUser;
  private readonly counters: WireCounters;
  private readonly onKnown: (source: Endpoint | undefined, destination: Endpoint | undefined) => void;

  /** `next` is who the connection is for; `onKnown` is called before it gets the first byte. */
  constructor(
    link: ClientSocket,
    next: ClientSocketUser,
    counters: WireCounters,
    onKnown: (source: Endpoint | undefined, destination: Endpoint | undefined) => void,
  ) {
    this.link = link;
    this.next = next;
    this.counters = counters;
    this.onKnown = onKnown;
  }

  onBytes(bytes: Buffer, length: number): void {
    this.received = Buffer.concat([this.received, bytes.subarray(0, length)]);
    const header = parseProxyHeader(this.received);
    if (header.kind === 'incomplete') return;
    if (header.kind === 'invalid') {
      this.counters.badRequests += 1;
      this.link.destroy();
      return;
    }
    this.link.user = this.next;
    this.onKnown(header.source, header.destination);
    const rest = this.received.subarray(header.length);
    if (rest.length > 0 && !this.link.closing) this.next.onBytes(rest, rest.length, 'ever');
  }

  onHalfClosed(): void {
    this.link.destroy();
  }

  onGone(): void {
    this.next.onGone();
  }

  onExpired(): void {
    this.link.destroy();
  }

  /** Nothing is written to it. */
  onUnblocked(): void {}
}
