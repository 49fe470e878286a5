import { type Duplex, duplexPair } from 'node:stream';
import type { RouteEntry } from '../routing-table.ts';
import type { ClientSide } from '../wire/client-side.ts';
import type { Exchange } from '../wire/exchange.ts';
import type { LaneContext } from '../wire/lane-context.ts';
import type { Lifetime } from '../wire/read-buffers.ts';
import { type Asked, type OwnFields, ResponseRelay } from '../wire/response-relay.ts';
import type { Visitor } from '../wire/visitor.ts';

const EMPTY = Buffer.alloc(0);
const NOTHING_OWN: OwnFields = { setCookie: '', panic: '', rate: undefined, edits: undefined };

/** Whatever serves the request of a stream. */
export type StreamServer = Pick<
  Exchange,
  'requestId' | 'route' | 'onBodyData' | 'onClientUnblocked' | 'onClientGone' | 'expire'
> & { readonly attempts: OwnFields };

/**
 * Takes one request through the plugin lane, which speaks HTTP/1.1, over a connection that exists only in memory. That lane
 * does and counts everything else.
 */
export class PluginLoop implements StreamServer, Asked {
  readonly requestId: string;
  readonly toHead: boolean;
  readonly oldClient = false;
  readonly wantsBody = false;
  /** That lane does all of it itself. */
  readonly attempts = NOTHING_OWN;
  readonly route: RouteEntry;
  private readonly client: ClientSide;
  private readonly lane: LaneContext;
  private readonly relay: ResponseRelay;
  private readonly near: Duplex;
  private readonly far: Duplex;

  constructor(client: ClientSide, lane: LaneContext, requestId: string, toHead: boolean, route: RouteEntry) {
    this.client = client;
    this.lane = lane;
    this.requestId = requestId;
    this.toHead = toHead;
    this.route = route;
    this.relay = new ResponseRelay(client, this, lane.responseHead);
    [this.near, this.far] = duplexPair();
  }

  /** `head`: of the request, with its last CRLF. */
  start(head: string, visitor: Visitor): void {
    const { near, far, lane, requestId } = this;
    near.on('data', this.onData);
    near.on('end', this.onEnd);
    near.on('drain', () => this.client.resumeBody());
    near.on('error', () => {});
    far.on('error', () => {});
    const kept = head.slice(0, -2).replaceAll(/^x-request-id:.*\r\n/gim, '');
    near.write(`${kept}x-request-id: ${requestId}\r\nconnection: close\r\n\r\n`, 'latin1');
    lane.counters.handedOver += 1;
    lane.handOver(far, EMPTY, { ...visitor.peer, requestId });
  }

  onBodyData(bytes: Buffer, length: number, _lifetime: Lifetime): number {
    if (!this.near.write(bytes)) this.client.pauseBody();
    return length;
  }

  onClientUnblocked(): void {
    this.client.expireAt(Infinity);
    this.near.resume();
  }

  onClientGone(): void {
    this.stop();
  }

  expire(): void {
    this.stop();
    this.client.abort();
  }

  private stop(): void {
    this.near.off('data', this.onData);
    this.near.off('end', this.onEnd);
    this.near.destroy();
    this.far.destroy();
  }

  private readonly onData = (bytes: Buffer): void => {
    const verdict = this.relay.take(bytes, bytes.length, 'ever');
    if (verdict === 'bad') {
      this.expire();
    } else if (verdict !== 'more') {
      this.stop();
      this.client.exchangeOver(this.lane.now());
    } else if (this.client.answer.blocked) {
      this.near.pause();
      this.client.expireAt(this.lane.now() + this.lane.table.policy.timeouts.bodyIdleMs);
    }
  };

  private readonly onEnd = (): void => {
    this.stop();
    if (this.relay.endsWithConnection) this.client.exchangeOver(this.lane.now());
    else this.client.abort();
  };
}
