import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { HashSettings, ProxyProtocol } from '@usher/domain';
import type { RequestHead } from '@usher/http1';
import type { Endpoint } from '../proxy-protocol/parse.ts';
import { proxyHeaderV1, proxyHeaderV2 } from '../proxy-protocol/write.ts';
import { Announcement } from './announcement.ts';
import type { ClientSocket, ClientSocketUser } from './client-socket.ts';
import type { LaneContext } from './lane-context.ts';
import type { Peer } from './peer.ts';
import { problemResponse } from './problem-response.ts';
import { keyOfHead } from './request-key.ts';

/** Who a client connection is for, and its place among the connections of that client. */
export class Visitor {
  peer: Peer;
  private readonly lane: LaneContext;
  /** Under which it is counted, if it is. */
  private client: string | undefined;
  /** From a PROXY header. */
  private source: Endpoint | undefined;
  private destination: Endpoint | undefined;

  constructor(lane: LaneContext, socket: Socket) {
    this.lane = lane;
    const scheme = socket instanceof TLSSocket ? 'https' : 'http';
    this.peer = lane.peers.describe(socket.remoteAddress ?? '', scheme, lane.table.policy.trustedProxies);
  }

  /**
   * Lets `connection` have what comes over `link`, unless its client has enough connections. `announced`: a header that
   * names the client comes first.
   */
  arrive(link: ClientSocket, connection: ClientSocketUser, announced: boolean): void {
    if (!announced) {
      this.enter(link);
      return;
    }
    link.user = new Announcement(link, connection, this.lane.counters, (source, destination) => {
      const { peers, table } = this.lane;
      this.source = source;
      this.destination = destination;
      if (source !== undefined)
        this.peer = peers.describe(source.address, this.peer.scheme, table.policy.trustedProxies);
      this.enter(link);
    });
  }

  leave(): void {
    if (this.client !== undefined) this.lane.census.leave(this.client);
    this.client = undefined;
  }

  /** The plugin lane serves the connection from now on; it counts until it closes. */
  handOver(socket: Socket, bytes: Buffer): void {
    const { lane, peer } = this;
    if (this.client !== undefined) socket.once('close', () => this.leave());
    lane.counters.handedOver += 1;
    lane.handOver(socket, bytes, peer.address);
  }

  /** What tells a backend at the start of a connection whom it is for, as latin1; empty for `none`. */
  proxyHeader(version: ProxyProtocol, link: ClientSocket): string {
    if (version === 'none') return '';
    const source = this.source ?? link.remote;
    const destination = this.destination ?? link.local;
    const header = version === 'v1' ? proxyHeaderV1(source, destination) : proxyHeaderV2(source, destination);
    return header.toString('latin1');
  }

  /** For the strategy of a pool that goes by `hash`. */
  keyOf(head: RequestHead, hash: HashSettings): number {
    return keyOfHead(head, this.peer, hash, this.lane.peers);
  }

  private enter(link: ClientSocket): void {
    const { lane } = this;
    const { connectionsPerIp } = lane.table.policy.limits;
    if (connectionsPerIp === 0) return;
    this.client = lane.census.enter(this.peer.address, Math.ceil(connectionsPerIp / lane.workers));
    if (this.client !== undefined) return;
    lane.counters.connectionsRefused += 1;
    const context = {
      requestId: lane.newRequestId(),
      toHead: false,
      connection: 'connection: close\r\n',
    } as const;
    link.output.text(problemResponse('too_many_connections', '', context));
    link.close();
  }
}
