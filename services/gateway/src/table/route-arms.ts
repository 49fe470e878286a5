import type { IncomingMessage } from 'node:http';
import {
  type ArmDecision,
  type ArmFacts,
  type CanarySettings,
  decideArm,
  type ExplainedArm,
  pointOf,
  type Uniform,
} from '@usher/domain';
import { lineNamed, type RequestHead } from '@usher/http1';
import type { RouteEntry } from '../routing-table.ts';
import { type CookiePlace, findCookie } from '../sticky/cookie-field.ts';
import type { Peer, PeerDirectory } from '../wire/peer.ts';
import { keyOfHead, keyOfMessage } from '../wire/request-key.ts';

/** What of a request its arm depends on. */
interface Asking {
  /** The values of the header lines of a name, in order. */
  lines(name: string): readonly string[];
  key(by: Parameters<typeof keyOfHead>[2]): number;
}

/** Chooses among the pools of a route that has several; made ready once for all requests. */
export class RouteArms {
  /** By their pools; that of the route itself is among them. */
  readonly #entries: ReadonlyMap<string, RouteEntry>;
  readonly #own: RouteEntry;
  readonly #random: Uniform;

  /** `own`: the entry for the pool of the route, `others` those for the other pools. */
  constructor(own: RouteEntry, others: readonly RouteEntry[], random: Uniform) {
    this.#own = own;
    this.#entries = new Map([own, ...others].map((entry) => [entry.pool.id, entry]));
    this.#random = random;
  }

  /** One for each pool. */
  get entries(): readonly RouteEntry[] {
    return [...this.#entries.values()];
  }

  ofHead(head: RequestHead, peer: Peer, peers: PeerDirectory): RouteEntry {
    return this.#entryOf(this.#decide(head, peer, peers, this.#random));
  }

  /** The same for a request that Node has parsed; `path` is without the query. */
  ofMessage(message: IncomingMessage, path: string, peer: Peer, peers: PeerDirectory): RouteEntry {
    const lines = (name: string) => message.headersDistinct[name] ?? [];
    const key = (by: Parameters<Asking['key']>[0]) => keyOfMessage(message, path, peer, by, peers);
    return this.#entryOf(decideArm(this.#own.settings, this.#factsOf({ lines, key }, this.#random)));
  }

  #decide(head: RequestHead, peer: Peer, peers: PeerDirectory, random: Uniform): ArmDecision {
    const lines = (name: string) => linesOf(head, name);
    const key = (by: Parameters<Asking['key']>[0]) => keyOfHead(head, peer, by, peers);
    return decideArm(this.#own.settings, this.#factsOf({ lines, key }, random));
  }

  /** What it would decide now, and the entry of that. Nothing changes by it but `random`. */
  explain(head: RequestHead, peer: Peer, peers: PeerDirectory, random: Uniform) {
    const { pool, canaries, split } = this.#own.settings;
    const decision = this.#decide(head, peer, peers, random);
    const arm: ExplainedArm = { ...decision, settings: { pool, canaries, split } };
    return { arm, entry: this.#entryOf(decision) };
  }

  #factsOf(asking: Asking, random: Uniform): ArmFacts {
    const { canaries = [], split } = this.#own.settings;
    const found = canaries.findIndex((each) => fits(each, asking));
    const canary = found < 0 ? null : found;
    if (canary !== null || split === undefined) return { canary, point: null };
    return { canary, point: split.by === undefined ? random.next() : pointOf(asking.key(split.by)) };
  }

  #entryOf({ pool }: ArmDecision): RouteEntry {
    return this.#entries.get(pool) ?? this.#own;
  }
}

function fits({ by, name, value }: CanarySettings, asking: Asking): boolean {
  const isMeant = (found: string) => (value === undefined ? found !== '' : found === value);
  if (by === 'header') return asking.lines(name).some(isMeant);
  return asking.lines('cookie').some((line) => {
    const found = cookieIn(line, name);
    return found !== undefined && isMeant(found);
  });
}

const place: CookiePlace = { start: 0, end: 0, valueStart: 0, valueEnd: 0 };

function cookieIn(line: string, name: string): string | undefined {
  return findCookie(line, 0, line.length, name, place)
    ? line.slice(place.valueStart, place.valueEnd)
    : undefined;
}

function linesOf({ text, fields }: RequestHead, name: string): string[] {
  const values: string[] = [];
  for (let line = lineNamed(text, fields, name); line >= 0; line = lineNamed(text, fields, name, line + 1))
    values.push(text.slice(fields.valueStart(line), fields.valueEnd(line)));
  return values;
}
