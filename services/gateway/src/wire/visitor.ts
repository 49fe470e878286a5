import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { ProxyProtocol } from '@usher/domain';
import type { ProxyClaim } from '../proxy-protocol/parse.ts';
import { proxyHeaderV1, proxyHeaderV2 } from '../proxy-protocol/write.ts';
import type { ClientSocket } from './client-socket.ts';
import type { LaneContext } from './lane-context.ts';
import type { Peer } from './peer.ts';
import { problemResponse } from './problem-response.ts';

/** Who a client connection is for, and its place among the connections of that client. */
export class Visitor {
  readonly peer: Peer;
  private readonly lane: LaneContext;
  /** Under which it is counted, if it is. */
  private client: string | undefined;
  private readonly claim: ProxyClaim | undefined;

  constructor(lane: LaneContext, socket: Socket, claim?: ProxyClaim) {
    this.lane = lane;
    this.claim = claim;
    const scheme = socket instanceof TLSSocket ? 'https' : 'http';
    const remote = claim?.source?.address ?? socket.remoteAddress ?? '';
    this.peer = lane.peers.describe(remote, scheme, lane.table.policy.trustedProxies);
  }

  /** Turns `link` away if its client has enough connections. */
  arrive(link: ClientSocket): void {
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
    const source = this.claim?.source ?? link.remote;
    const destination = this.claim?.destination ?? link.local;
    const header = version === 'v1' ? proxyHeaderV1(source, destination) : proxyHeaderV2(source, destination);
    return header.toString('latin1');
  }
}
