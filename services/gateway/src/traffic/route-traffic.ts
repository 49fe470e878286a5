import {
  type ClientListSettings,
  type PolicySettings,
  type RequestIdSettings,
  type RouteSettings,
  rewritten,
  type TrafficSettings,
} from '@usher/domain';
import { isToken } from '@usher/http1';
import { networkList } from '@usher/runtime';
import { TurnedAway, turnedAway } from '../wire/own-answer.ts';
import { ApiKeys } from './api-keys.ts';
import { CORS_FIELDS, Cors } from './cors.ts';
import { EditTemplate, type Fields, type HeaderEdits, hyphened, without } from './header-edits.ts';
import { Redirect } from './redirect.ts';
import type { TokenKeys } from './token-keys.ts';
import { Tokens } from './tokens.ts';
import type { TrafficRequest } from './traffic-request.ts';

/** Why a policy answers a request itself; the order in which it looks. */
const JUDGED_FOR = ['client', 'redirect', 'preflight', 'key', 'token'] as const;
type JudgedFor = (typeof JUDGED_FOR)[number];
/** And because of its body: one that is too long, and one that is none. */
export const ANSWERED_FOR = [...JUDGED_FOR, 'body', 'malformed'] as const;
export type AnsweredFor = (typeof ANSWERED_FOR)[number];

/** An answer of the gateway to a request that no backend gets. */
export class TrafficAnswer extends TurnedAway {
  readonly reason: JudgedFor;

  constructor(reason: JudgedFor, { code, status, detail, fields }: TurnedAway) {
    super(code, status, detail, fields);
    this.reason = reason;
  }
}

const NO_FIELDS: Fields = [];
const DENIED = new TrafficAnswer('client', turnedAway('forbidden'));

/**
 * What a route asks of its requests and changes in them, made ready once for all of them. Both lanes ask it in the same order,
 * see docs/traffic.md.
 */
export class RouteTraffic {
  readonly #mayCome: ((address: string) => boolean) | undefined;
  readonly #redirect: Redirect | undefined;
  readonly #cors: Cors | undefined;
  readonly #keys: ApiKeys | undefined;
  readonly #tokens: Tokens | undefined;
  /** Headers that never come from a client. */
  readonly #claimNames: readonly string[];
  readonly #lookalikes: ReadonlySet<string> | undefined;
  readonly #requestId: RequestIdSettings | undefined;
  /** Largest body of a request, 0 = unlimited; undefined = as the limits say. */
  readonly bodyBytes: number | undefined;
  readonly #rewrite: TrafficSettings['rewrite'];
  readonly #requestEdits: EditTemplate | undefined;
  readonly #answerEdits: EditTemplate | undefined;
  /** What answers get that lack it, over plain HTTP and over TLS. */
  readonly #lacking: { readonly http: Fields; readonly https: Fields };
  /** Of answers to all requests over plain HTTP, and to those over TLS; undefined where they depend on the request. */
  readonly #fixed: { readonly http: HeaderEdits; readonly https: HeaderEdits } | undefined;

  /** `claims`: the headers that tokens fill, at this route or another. */
  constructor(settings: TrafficSettings, claims: readonly string[], tokenKeys: TokenKeys) {
    const { clients, redirect, cors, apiKeys, rewrite, requestHeaders, responseHeaders, securityHeaders } =
      settings;
    this.bodyBytes = settings.bodyBytes;
    this.#requestId = isGiven(settings.requestId) ? settings.requestId : undefined;
    this.#cors = isGiven(cors) ? new Cors(cors) : undefined;
    this.#keys = isGiven(apiKeys) ? new ApiKeys(apiKeys) : undefined;
    this.#tokens = isGiven(settings.jwt) ? new Tokens(settings.jwt, tokenKeys) : undefined;
    this.#mayCome = isGiven(clients) ? gate(clients) : undefined;
    this.#redirect = isGiven(redirect) ? new Redirect(redirect) : undefined;
    this.#claimNames = claims;
    this.#rewrite = rewrite;
    this.#requestEdits = isGiven(requestHeaders) ? new EditTemplate(requestHeaders) : undefined;
    const meant = [...claims, ...(this.#requestEdits?.drop ?? [])];
    if (meant.length > 0) this.#lookalikes = new Set(meant.map(hyphened));
    this.#answerEdits = isGiven(responseHeaders) ? new EditTemplate(responseHeaders) : undefined;
    const { hsts, headers = {} } = isGiven(securityHeaders) ? securityHeaders : {};
    // What the policy says of a header itself is the last word about it.
    const said = this.#answerEdits?.drop ?? [];
    const http = Object.entries(headers).filter(([name]) => !said.includes(name));
    const strict = hsts === undefined || said.includes(HSTS) ? [] : [HSTS, hsts];
    this.#lacking = { http: http.flat(), https: [...http.flat(), ...strict] };
    const fixed = this.#answerEdits === undefined ? NO_FIELDS : this.#answerEdits.fixed;
    if (fixed !== undefined && this.#cors === undefined && this.#idNames.length === 0)
      this.#fixed = { http: this.#editsOf('http', fixed), https: this.#editsOf('https', fixed) };
  }

  /** It keeps somebody out. */
  get guards(): boolean {
    return this.#mayCome !== undefined || this.#keys !== undefined || this.#tokens !== undefined;
  }

  /** With what a request is answered instead of being served; asked before its rate limit. */
  judge(request: TrafficRequest): TrafficAnswer | undefined {
    if (this.#mayCome?.(request.client) === false) return DENIED;
    const to = this.#redirect?.target(request);
    if (this.#redirect !== undefined && to !== undefined) return this.#sent(this.#redirect.status, to);
    const preflight = this.#cors?.preflight(request);
    return preflight === undefined ? undefined : new TrafficAnswer('preflight', preflight);
  }

  /** Finds out who calls; with what a request is answered when that is nobody. Asked after its rate limit. */
  identify(request: TrafficRequest, nowMs: number): TrafficAnswer | undefined {
    const noKey = this.#keys?.identify(request);
    if (noKey !== undefined) return new TrafficAnswer('key', noKey);
    const noToken = this.#tokens?.identify(request, nowMs);
    return noToken === undefined ? undefined : new TrafficAnswer('token', noToken);
  }

  /** Id of a request, from the headers that it has; undefined = it needs a new one. */
  requestId(given: (name: string) => string | undefined, trusted: boolean): string | undefined {
    const { header, trust } = this.#requestId ?? EVERY_ID;
    if (trust === 'nobody' || (trust === 'trusted_proxies' && !trusted)) return undefined;
    const id = given(header);
    return id !== undefined && isToken(id, REQUEST_ID_LENGTH_MAX) ? id : undefined;
  }

  #sent(status: number, to: string): TrafficAnswer {
    return new TrafficAnswer('redirect', new TurnedAway(undefined, status, '', ['location', to]));
  }

  /** Path and query as the backend gets them. */
  target(target: string): string {
    return this.#rewrite === undefined ? target : rewritten(target, this.#rewrite);
  }

  /** What changes in the head that the backend gets; undefined = nothing. */
  requestEdits(request: TrafficRequest): HeaderEdits | undefined {
    const edits = this.#requestEdits;
    const hidden = [
      ...(this.#keys === undefined ? [] : [this.#keys.header]),
      ...this.#idNames,
      ...this.#claimNames,
    ];
    if (edits === undefined && hidden.length === 0) return undefined;
    const said = edits?.drop ?? [];
    // What the policy says of a header itself is the last word about it.
    const claims = without(request.claims, (name) => said.includes(name));
    const add = [...this.#idFields(request), ...claims, ...(edits?.added(request) ?? NO_FIELDS)];
    return { lacking: NO_FIELDS, drop: [...hidden, ...said], lookalikes: this.#lookalikes, add };
  }

  /** What changes in the head that the client gets, whoever answers. */
  answerEdits(request: TrafficRequest): HeaderEdits {
    const scheme = request.scheme === 'https' ? 'https' : 'http';
    if (this.#fixed !== undefined) return this.#fixed[scheme];
    const edits = this.#editsOf(scheme, this.#answerEdits?.added(request) ?? NO_FIELDS);
    const cors = this.#cors === undefined ? NO_FIELDS : this.#cors.answer(request);
    const names = [...(this.#cors === undefined ? [] : CORS_FIELDS), ...this.#idNames];
    return {
      lacking: edits.lacking,
      drop: [...names, ...edits.drop],
      add: [...this.#idFields(request), ...cors, ...edits.add],
    };
  }

  #editsOf(scheme: 'http' | 'https', add: Fields): HeaderEdits {
    return { drop: this.#answerEdits?.drop ?? [], lacking: this.#lacking[scheme], add };
  }

  /** Another header that has the id, if there is one. */
  get #idNames(): readonly string[] {
    const { header } = this.#requestId ?? EVERY_ID;
    return header === EVERY_ID.header ? [] : [header];
  }

  #idFields(request: TrafficRequest): Fields {
    return this.#idNames.flatMap((name) => [name, request.request_id]);
  }
}

const REQUEST_ID_LENGTH_MAX = 128;
/** Where the policy says nothing of ids. */
const EVERY_ID: RequestIdSettings = { header: 'x-request-id', trust: 'anyone' };
const HSTS = 'strict-transport-security';

/** The policy of a route; undefined where it has none. `claims`: the headers that tokens fill, at this route or another. */
export function trafficOf(
  route: Pick<RouteSettings, 'traffic'>,
  policy: Pick<PolicySettings, 'traffic'>,
  claims: readonly string[],
  tokenKeys: TokenKeys,
): RouteTraffic | undefined {
  const settings = { ...policy.traffic, ...route.traffic };
  return Object.values(settings).some(isGiven) || claims.length > 0
    ? new RouteTraffic(settings, claims, tokenKeys)
    : undefined;
}

function isGiven<T>(settings: T | 'none' | undefined): settings is Exclude<T, 'none' | undefined> {
  return settings !== undefined && settings !== 'none';
}

function gate({ allow, deny }: ClientListSettings): (address: string) => boolean {
  const isAllowed = allow.length === 0 ? () => true : networkList(allow);
  const isDenied = networkList(deny);
  return (address) => !isDenied(address) && isAllowed(address);
}
