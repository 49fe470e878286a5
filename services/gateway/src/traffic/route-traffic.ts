import {
  type ClientListSettings,
  type PolicySettings,
  type RouteSettings,
  rewritten,
  type TrafficSettings,
} from '@usher/domain';
import { networkList } from '@usher/runtime';
import { TurnedAway, turnedAway } from '../wire/own-answer.ts';
import { EditTemplate, type Fields, type HeaderEdits } from './header-edits.ts';
import { Redirect } from './redirect.ts';
import type { TrafficRequest } from './traffic-request.ts';

/** Why a gateway answers a request itself; the order in which it looks. */
export const ANSWERED_FOR = ['client', 'redirect'] as const;
export type AnsweredFor = (typeof ANSWERED_FOR)[number];

/** An answer of the gateway to a request that no backend gets. */
export class TrafficAnswer extends TurnedAway {
  readonly reason: AnsweredFor;

  constructor(reason: AnsweredFor, { code, status, detail, fields }: TurnedAway) {
    super(code, status, detail, fields);
    this.reason = reason;
  }
}

const NO_FIELDS: Fields = [];
const NO_EDITS: HeaderEdits = { drop: [], lacking: NO_FIELDS, add: NO_FIELDS };
const DENIED = new TrafficAnswer('client', turnedAway('forbidden'));

/**
 * What a route asks of its requests and changes in them, made ready once for all of them. Both lanes ask it in the same order,
 * see docs/traffic.md.
 */
export class RouteTraffic {
  readonly #mayCome: ((address: string) => boolean) | undefined;
  readonly #redirect: Redirect | undefined;
  readonly #rewrite: TrafficSettings['rewrite'];
  readonly #requestEdits: EditTemplate | undefined;
  readonly #answerEdits: EditTemplate | undefined;
  /** What answers get that lack it, over plain HTTP and over TLS. */
  readonly #lacking: { readonly http: Fields; readonly https: Fields };
  /** Of answers to all requests over plain HTTP, and to those over TLS; undefined where they depend on the request. */
  readonly #fixed: { readonly http: HeaderEdits; readonly https: HeaderEdits } | undefined;

  constructor(settings: TrafficSettings) {
    const { clients, redirect, rewrite, requestHeaders, responseHeaders, securityHeaders } = settings;
    this.#mayCome = isGiven(clients) ? gate(clients) : undefined;
    this.#redirect = isGiven(redirect) ? new Redirect(redirect) : undefined;
    this.#rewrite = rewrite;
    this.#requestEdits = isGiven(requestHeaders) ? new EditTemplate(requestHeaders) : undefined;
    this.#answerEdits = isGiven(responseHeaders) ? new EditTemplate(responseHeaders) : undefined;
    const { hsts, headers = {} } = isGiven(securityHeaders) ? securityHeaders : {};
    // What the policy says of a header itself is the last word about it.
    const said = this.#answerEdits?.drop ?? [];
    const http = Object.entries(headers).filter(([name]) => !said.includes(name));
    const strict = hsts === undefined || said.includes(HSTS) ? [] : [HSTS, hsts];
    this.#lacking = { http: http.flat(), https: [...http.flat(), ...strict] };
    const fixed = this.#answerEdits === undefined ? NO_FIELDS : this.#answerEdits.fixed;
    if (fixed !== undefined)
      this.#fixed = { http: this.#editsOf('http', fixed), https: this.#editsOf('https', fixed) };
  }

  /** It keeps somebody out. */
  get guards(): boolean {
    return this.#mayCome !== undefined;
  }

  /** With what a request is answered instead of being served; asked before its rate limit. */
  judge(request: TrafficRequest): TrafficAnswer | undefined {
    if (this.#mayCome?.(request.client) === false) return DENIED;
    const to = this.#redirect?.target(request);
    if (this.#redirect === undefined || to === undefined) return undefined;
    return new TrafficAnswer(
      'redirect',
      new TurnedAway(undefined, this.#redirect.status, '', ['location', to]),
    );
  }

  /** Path and query as the backend gets them. */
  target(target: string): string {
    return this.#rewrite === undefined ? target : rewritten(target, this.#rewrite);
  }

  /** What changes in the head that the backend gets; undefined = nothing. */
  requestEdits(request: TrafficRequest): HeaderEdits | undefined {
    const edits = this.#requestEdits;
    if (edits === undefined) return undefined;
    return { ...NO_EDITS, drop: edits.drop, add: edits.added(request) };
  }

  /** What changes in the head that the client gets, whoever answers. */
  answerEdits(request: TrafficRequest): HeaderEdits {
    const scheme = request.scheme === 'https' ? 'https' : 'http';
    return this.#fixed?.[scheme] ?? this.#editsOf(scheme, this.#answerEdits?.added(request) ?? NO_FIELDS);
  }

  #editsOf(scheme: 'http' | 'https', add: Fields): HeaderEdits {
    return { drop: this.#answerEdits?.drop ?? [], lacking: this.#lacking[scheme], add };
  }
}

const HSTS = 'strict-transport-security';

/** The policy of a route; undefined where it has none. */
export function trafficOf(
  route: Pick<RouteSettings, 'traffic'>,
  policy: Pick<PolicySettings, 'traffic'>,
): RouteTraffic | undefined {
  const settings = { ...policy.traffic, ...route.traffic };
  return Object.values(settings).some(isGiven) ? new RouteTraffic(settings) : undefined;
}

function isGiven<T>(settings: T | 'none' | undefined): settings is Exclude<T, 'none' | undefined> {
  return settings !== undefined && settings !== 'none';
}

function gate({ allow, deny }: ClientListSettings): (address: string) => boolean {
  const isAllowed = allow.length === 0 ? () => true : networkList(allow);
  const isDenied = networkList(deny);
  return (address) => !isDenied(address) && isAllowed(address);
}
