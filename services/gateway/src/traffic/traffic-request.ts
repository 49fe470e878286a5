import type { IncomingMessage } from 'node:http';
import type { Variable } from '@usher/domain';
import { FIELD, joinedValues, lineNamed, type RequestHead } from '@usher/http1';
import { withoutQuery } from '../wire/outgoing-request.ts';
import type { Peer, PeerDirectory } from '../wire/peer.ts';
import type { Fields } from './header-edits.ts';

/** One request as a policy sees it, the same in both lanes: also the values of the variables of templates. */
export interface TrafficRequest extends Readonly<Record<Exclude<Variable, 'consumer'>, string>> {
  readonly method: string;
  /** Who calls, as soon as that is known. */
  consumer: string;
  /** What of the caller's token goes to the backend. */
  claims: Fields;
  /** The value of a header, named in lower case; undefined without it, or where it is given more than once. */
  header(name: string): string | undefined;
}

/** What of a request does not depend on who has read it. */
interface Known {
  readonly route: string;
  readonly requestId: string;
  readonly peer: Peer;
  readonly peers: PeerDirectory;
}

/** A request whose head the wire lane has read; of use as long as that head is. */
export class HeadRequest implements TrafficRequest {
  consumer = '';
  claims: Fields = [];
  readonly #head: RequestHead;
  readonly #known: Known;

  constructor(head: RequestHead, known: Known) {
    this.#head = head;
    this.#known = known;
  }

  get method(): string {
    return this.#head.method;
  }

  get client(): string {
    const { peer, peers } = this.#known;
    return peer.trusted ? peers.clientOf(peer, this.#joined(FIELD.xForwardedFor)) : peer.address;
  }

  get scheme(): string {
    const { peer } = this.#known;
    return peer.trusted ? schemeOf(peer, this.#joined(FIELD.xForwardedProto)) : peer.scheme;
  }

  get host(): string {
    return this.#head.host.toLowerCase();
  }

  get path(): string {
    return this.#head.path;
  }

  get query(): string {
    const { text, pathEnd, targetEnd } = this.#head;
    return text.slice(pathEnd, targetEnd);
  }

  get request_id(): string {
    return this.#known.requestId;
  }

  get route(): string {
    return this.#known.route;
  }

  header(name: string): string | undefined {
    return onlyValue(this.#head, name);
  }

  #joined(id: number): string {
    return joinedValues(this.#head.text, this.#head.fields, id);
  }
}

/** A request that Node has parsed. */
export class MessageRequest implements TrafficRequest {
  consumer = '';
  claims: Fields = [];
  readonly #message: IncomingMessage;
  readonly #known: Known;
  readonly host: string;

  /** `host`: without port. */
  constructor(message: IncomingMessage, host: string, known: Known) {
    this.#message = message;
    this.#known = known;
    this.host = host;
  }

  get method(): string {
    return this.#message.method ?? '';
  }

  get client(): string {
    const { peer, peers } = this.#known;
    return peers.clientOf(peer, this.#joined('x-forwarded-for'));
  }

  get scheme(): string {
    const { peer } = this.#known;
    return peer.trusted ? schemeOf(peer, this.#joined('x-forwarded-proto')) : peer.scheme;
  }

  get path(): string {
    return withoutQuery(this.#message.url ?? '/');
  }

  get query(): string {
    return (this.#message.url ?? '/').slice(this.path.length);
  }

  get request_id(): string {
    return this.#known.requestId;
  }

  get route(): string {
    return this.#known.route;
  }

  header(name: string): string | undefined {
    const values = this.#message.headersDistinct[name];
    return values?.length === 1 ? values[0] : undefined;
  }

  #joined(name: string): string {
    return [this.#message.headers[name] ?? []].flat().join(', ');
  }
}

/** The value of a header, named in lower case; undefined without it, or where it is given more than once. */
export function onlyValue({ text, fields }: RequestHead, name: string): string | undefined {
  const line = lineNamed(text, fields, name);
  if (line < 0 || lineNamed(text, fields, name, line + 1) >= 0) return undefined;
  return text.slice(fields.valueStart(line), fields.valueEnd(line));
}

/** How the client came to the first proxy, as a trusted peer tells. */
function schemeOf({ scheme }: Peer, told: string): string {
  const first = told.split(',', 1)[0]!.trim().toLowerCase();
  return first === 'http' || first === 'https' ? first : scheme;
}
