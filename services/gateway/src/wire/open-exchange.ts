import type { Features } from '@usher/domain';
import type { RequestHead } from '@usher/http1';
import { BodyCopy } from '../mirror/body-copy.ts';
import type { RouteMirror } from '../mirror/route-mirror.ts';
import { RateWait } from '../rate/rate-wait.ts';
import type { RouteEntry } from '../routing-table.ts';
import { visitOf } from '../sticky/sticky.ts';
import type { HeadRequest } from '../traffic/traffic-request.ts';
import type { ClientSide } from './client-side.ts';
import type { Asked } from './examine.ts';
import { Exchange } from './exchange.ts';
import { forwardRequestHead, type RequestChanges } from './forward-request.ts';
import type { LaneContext } from './lane-context.ts';
import { OutgoingRequest } from './outgoing-request.ts';
import { TimeLimits } from './time-limits.ts';
import type { Ends, Visitor } from './visitor.ts';

/** How a request is to be served. */
export interface Course {
  readonly route: RouteEntry;
  readonly features: Features;
  /** It asks for a WebSocket and has a place among those. */
  readonly upgrade: boolean;
  /** How long the client waits for the end of the response. */
  readonly patienceMs: number;
}

/** What a visitor's request becomes; `ends` are those of its connection. */
export function openExchange(
  client: ClientSide,
  lane: LaneContext,
  visitor: Visitor,
  ends: Ends,
  { head, id, body, startMs, rate, seen, edits }: Asked,
  { route, features, upgrade, patienceMs }: Course,
): Exchange {
  const { pool } = route;
  const preface = visitor.proxyHeader(pool.settings.proxyProtocol, ends);
  const cookies = pool.sticky === undefined ? '' : visitOf(features)?.cookies;
  const changes = seen === undefined ? undefined : changesOf(route, head, seen);
  const kept = changes?.edits?.drop.includes('cookie') === true ? '' : cookies;
  const forwarded = forwardRequestHead(head, id, visitor.peer, upgrade, kept, changes);
  const outgoing = new OutgoingRequest(forwarded, preface, head, body);
  if (route.mirror?.takes() === true && !upgrade)
    copyTo(route.mirror, lane, visitor, ends, { head, forwarded, id, body });
  const upstreams = pool.settings.http2 ? lane.sessions : lane.upstreams;
  const limits = new TimeLimits(startMs, patienceMs, lane.table.policy.timeouts.requestMs);
  const request = { route, features, upstreams, outgoing, id, startMs, limits };
  const exchange = new Exchange(client, lane, head, request);
  exchange.attempts.rate = rate;
  exchange.attempts.edits = edits;
  if (pool.panic && lane.debug !== undefined) exchange.attempts.panic = lane.debug.noteForHead(pool, head);
  return exchange;
}

/** Has a copy of a request sent elsewhere as soon as its body is there. */
function copyTo(
  mirror: RouteMirror,
  { mirrors }: LaneContext,
  visitor: Visitor,
  ends: Ends,
  { head, forwarded, id, body }: Pick<Asked, 'head' | 'id' | 'body'> & { readonly forwarded: string },
): void {
  const features = visitor.featuresOf(head, mirror.entry);
  if (typeof features === 'string') {
    mirror.count('unfit');
    return;
  }
  const copy = body === undefined ? undefined : new BodyCopy(body.kept, body.done);
  if (body !== undefined) body.copy = copy;
  const preface = visitor.proxyHeader(mirror.entry.pool.settings.proxyProtocol, ends);
  const { method, minor, authority } = head;
  const received = { method, minor, authority };
  mirrors.follow({ mirror, head: forwarded, received, features, preface, id, body: copy, framed: true });
}

function changesOf(
  { traffic }: RouteEntry,
  head: RequestHead,
  seen: HeadRequest,
): RequestChanges | undefined {
  if (traffic === undefined) return undefined;
  const { forwardLine } = head;
  const [method = '', target = ''] = forwardLine.split(' ', 2);
  const sent = traffic.target(target);
  const line = sent === target ? forwardLine : `${method} ${sent} HTTP/1.1\r\n`;
  return { line, edits: traffic.requestEdits(seen) };
}

/** Starts an exchange, at once or when it is known whether its client may have it. */
export function begin(exchange: Exchange, client: ClientSide, { admission, now }: LaneContext): void {
  const { route, startMs } = exchange;
  const { rate } = exchange.attempts;
  if (rate?.outcome !== 'unknown') {
    exchange.start();
    return;
  }
  const onSettled = (): void => {
    const code = admission.judge(route, rate);
    if (code !== undefined) {
      exchange.onNoRoom(code, '');
      return;
    }
    exchange.start(now());
    client.resumeBody();
  };
  exchange.startAfter(new RateWait(admission.limiter, rate, startMs, onSettled));
}
