import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Features, ProxyProtocol } from '@usher/domain';
import type { RequestHead } from '@usher/http1';
import type { Endpoint, ProxyClaim } from '../proxy-protocol/parse.ts';
import { proxyHeaderV1, proxyHeaderV2 } from '../proxy-protocol/write.ts';
import { rateKeyOfHead } from '../rate/rate-key.ts';
import type { RateTicket } from '../rate/rate-ticket.ts';
import type { RouteEntry } from '../routing-table.ts';
import type { ClientSocket } from './client-socket.ts';
import type { LooseSocket } from './connection-owner.ts';
import type { LaneContext } from './lane-context.ts';
import type { Peer } from './peer.ts';
import { problemResponse } from './problem-response.ts';
import { featuresOfHead } from './request-features.ts';

/** The two ends of a connection. */
export interface Ends {
  readonly remote: Endpoint;
  readonly local: Endpoint;
}

/** Who a client connection is for, and its place among the connections of that client. */
export class Visitor {
  readonly peer: Peer;
  readonly maySpeakHttp2: boolean;
  private readonly lane: LaneContext;
  /** Under which it is counted, if it is. */
  private client: string | undefined;
  private readonly claim: ProxyClaim | undefined;

  /** `http2`: the listener speaks HTTP/2, over TLS with those that agreed to it (RFC 9113 section 3.3). */
  constructor(lane: LaneContext, socket: Socket, http2: boolean, claim: ProxyClaim | undefined) {
    this.lane = lane;
    this.claim = claim;
    const overTls = socket instanceof TLSSocket;
    this.maySpeakHttp2 = http2 && (!overTls || socket.alpnProtocol === 'h2');
    const scheme = overTls ? 'https' : 'http';
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
  handOver({ socket, bytes }: LooseSocket): void {
    const { lane, peer } = this;
    if (this.client !== undefined) socket.once('close', () => this.leave());
    lane.counters.handedOver += 1;
    lane.handOver(socket, bytes, peer);
  }

  /** Which of the pools of its route a request goes to. */
  armOf(head: RequestHead, route: RouteEntry): RouteEntry {
    const { arms } = route;
    return arms === undefined ? route : arms.ofHead(head, this.peer, this.lane.peers);
  }

  /** What of a request decides where it goes; a sentence when it does not say so as it should. */
  featuresOf(head: RequestHead, route: RouteEntry): Features | string {
    return featuresOfHead(head, route, this.peer, this.lane);
  }

  /** Counts a request against its route's rate limit; undefined where there is none. */
  holdToRate(head: RequestHead, route: RouteEntry, nowMs: number): RateTicket | undefined {
    const { rule } = route;
    if (rule === undefined) return undefined;
    const { lane, peer } = this;
    const ticket = lane.admission.limiter.take(rule, rateKeyOfHead(head, rule, peer, lane.peers), nowMs);
    lane.admission.judge(route, ticket);
    return ticket;
  }

  /** What tells a backend at the start of a connection whom it is for, as latin1; empty for `none`. */
  proxyHeader(version: ProxyProtocol, { remote, local }: Ends): string {
    if (version === 'none') return '';
    const source = this.claim?.source ?? remote;
    const destination = this.claim?.destination ?? local;
    const header = version === 'v1' ? proxyHeaderV1(source, destination) : proxyHeaderV2(source, destination);
    return header.toString('latin1');
  }
}
