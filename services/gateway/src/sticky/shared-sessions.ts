import type { IncomingMessage } from 'node:http';
import { type Chooser, NO_FEATURES, STRATEGIES, type StickySettings, type Uniform } from '@usher/domain';
import { FIELD, joinedValues, lineNamed, type RequestHead } from '@usher/http1';
import { type IdKind, keyOfClient, keyOfSession, sessionIdOf } from '@usher/runtime';
import type { BackendSlot, PoolTable } from '../routing-table.ts';
import type { Peer, PeerDirectory } from '../wire/peer.ts';
import type { CookieTools } from './cookie-sessions.ts';
import { Networks } from './networks.ts';
import { isUsable, type Seated, seat } from './seats.ts';
import { SharedVisit } from './shared-visit.ts';
import { newCounts, type Sticky } from './sticky.ts';
import type { StickyAnswer, StickyQuestion, StoreAsks } from './store-asks.ts';
import { type TextEntry, TextTable } from './text-table.ts';

/** Sessions that a worker knows of: about 13 MB when the table is full. */
const KNOWN_MAX = 2 ** 15;
/** What is longer is looked for by its hash, so that clients cannot fill the memory with it. */
const TEXT_LENGTH_MAX = 128;
/** How often the store hears that a session is in use, and the worker where it is: this part of the time that it may be idle. */
const ASKS_PER_IDLE = 4;
const ASK_AGAIN_MAX_MS = 300_000;
/** How soon a store that was away is asked again. */
const ALONE_MS = 1000;

export type SharedStickySettings = Extract<StickySettings, { readonly by: 'header' | 'ip' }>;

/** What a worker knows of a session. */
export interface SharedSession extends TextEntry, Seated {
  readonly id: string;
  readonly tier: string;
  /** It is the one for all tiers. */
  common: boolean;
  /** Later it may be over, or elsewhere. */
  knownUntilMs: number;
  /** The store has to be told, sooner or later, that it is in use. */
  askAfterMs: number;
  /** The store does not know of it. */
  alone: boolean;
}

/** What sessions in the store need of their worker. */
export interface SharedTools extends CookieTools {
  readonly random: Uniform;
  readonly asks: StoreAsks;
}

/** Sessions of clients that are known by a header or by their address: the store says where they are. */
export class SharedSessions implements Sticky {
  readonly counts = newCounts();
  readonly pool: PoolTable;
  readonly settings: SharedStickySettings;
  readonly #tools: SharedTools;
  readonly #known = new TextTable<SharedSession>(KNOWN_MAX);
  readonly #networks = new Networks();
  readonly #askAgainMs: number;
  /** Chooses by the client alone, so that all gateways choose alike. */
  #byClient: Chooser<BackendSlot> | undefined;

  constructor(pool: PoolTable, settings: SharedStickySettings, tools: SharedTools) {
    this.pool = pool;
    this.settings = settings;
    this.#tools = tools;
    this.#askAgainMs = Math.min(settings.idleMs / ASKS_PER_IDLE, ASK_AGAIN_MAX_MS);
  }

  visitHead({ text, fields }: RequestHead, peer: Peer, peers: PeerDirectory): SharedVisit | undefined {
    const { settings } = this;
    if (settings.by === 'header') {
      const { name } = settings;
      for (
        let line = lineNamed(text, fields, name);
        line >= 0;
        line = lineNamed(text, fields, name, line + 1)
      ) {
        const start = fields.valueStart(line);
        const end = fields.valueEnd(line);
        if (end > start) return new SharedVisit(this, 'header', text, start, end);
      }
      if (settings.fallback === 'none') return undefined;
    }
    return this.#visitOf(peer.trusted ? joinedValues(text, fields, FIELD.xForwardedFor) : '', peer, peers);
  }

  visitMessage(
    { headers, rawHeaders }: IncomingMessage,
    peer: Peer,
    peers: PeerDirectory,
  ): SharedVisit | undefined {
    const { settings } = this;
    if (settings.by === 'header') {
      for (let at = 0; at < rawHeaders.length; at += 2) {
        const value = rawHeaders[at + 1]!;
        if (value === '' || rawHeaders[at]!.toLowerCase() !== settings.name) continue;
        return new SharedVisit(this, 'header', value, 0, value.length);
      }
      if (settings.fallback === 'none') return undefined;
    }
    return this.#visitOf(String(headers['x-forwarded-for'] ?? ''), peer, peers);
  }

  hear(session: string, backend: string): void {
    const [id = '', tier = ''] = session.split('#');
    for (const known of this.#known.withHash(keyOfSession(id))) {
      if (known.id !== id || (tier === '' ? !known.common : known.tier !== tier)) continue;
      seat(known, backend);
    }
  }

  forget(session: string | undefined): void {
    if (session === undefined) {
      this.#known.clear();
      return;
    }
    for (const known of this.#known.withHash(keyOfSession(session))) {
      if (known.id !== session) continue;
      seat(known, '');
      known.knownUntilMs = 0;
    }
  }

  /** What is known of a session, also of one that may be over. */
  find(kind: IdKind, tier: string, text: string, start: number, end: number): SharedSession | undefined {
    const hash = keyOfClient(kind, text, start, end);
    const space = spaceOf(kind, tier);
    if (end - start <= TEXT_LENGTH_MAX) return this.#known.find(hash, space, text, start, end);
    const id = sessionIdOf(kind, text.slice(start, end));
    return this.#known.find(hash, space, id, 0, id.length);
  }

  isKnown({ knownUntilMs }: SharedSession): boolean {
    return this.#tools.now() < knownUntilMs;
  }

  /** Remembers where a session is. */
  know(kind: IdKind, text: string, tier: string, backend: string): SharedSession {
    const id = sessionIdOf(kind, text);
    const key = text.length <= TEXT_LENGTH_MAX ? Buffer.from(text, 'latin1').toString('latin1') : id;
    const space = spaceOf(kind, tier);
    const hash = keyOfSession(id);
    let session = this.#known.find(hash, space, key, 0, key.length);
    if (session === undefined) {
      const times = { knownUntilMs: 0, askAfterMs: 0 };
      const common = tier === '' || this.settings.affinity;
      session = { text: key, space, id, tier, backend, slot: undefined, common, alone: false, ...times };
      this.#known.add(hash, session);
    }
    seat(session, backend);
    this.#confirm(session, false);
    return session;
  }

  /** The store has confirmed it, or could not be asked. */
  #confirm(session: SharedSession, alone: boolean): void {
    const nowMs = this.#tools.now();
    session.alone = alone;
    session.knownUntilMs = nowMs + this.settings.idleMs;
    session.askAfterMs = nowMs + (alone ? ALONE_MS : this.#askAgainMs);
  }

  /** The store is away: the session stays where it is for now, and the store is asked again soon. */
  leaveAlone(session: SharedSession): void {
    this.counts.alone += 1;
    this.#confirm(session, true);
  }

  ask(
    id: string,
    tier: string,
    want: StickyQuestion['want'],
    onAnswer: (answer: StickyAnswer) => void,
  ): void {
    const { ttlMs, idleMs, affinity } = this.settings;
    const question = { pool: this.pool.id, session: id, tier, affinity, ttlMs, idleMs, want };
    this.#tools.asks.ask(question, onAnswer);
  }

  /** Tells the store now and then that a session is in use, and hears where it is. Nobody waits for that. */
  refresh(session: SharedSession): void {
    if (this.#tools.now() < session.askAfterMs) return;
    session.askAfterMs = Number.POSITIVE_INFINITY;
    const { id, tier, backend, alone } = session;
    const want = alone
      ? ({ kind: 'assign', to: backend, apart: !session.common } as const)
      : ({ kind: 'look' } as const);
    this.ask(id, tier, want, (answer) => {
      if (answer.away) {
        this.#confirm(session, true);
        // What the store knew of it before it still knows.
        session.alone = alone;
        return;
      }
      this.#confirm(session, false);
      // Over: the next request begins it anew.
      if (answer.backend === undefined) session.knownUntilMs = 0;
      else seat(session, answer.backend);
    });
  }

  /** Whom all gateways choose for a client without asking each other. */
  chooseByClient(key: number, tierAt: number): BackendSlot | undefined {
    const { pool } = this;
    const unfit = pool.eligible.filter((slot) => !isUsable(slot, [], tierAt));
    this.#byClient ??= STRATEGIES.ip_hash.create<BackendSlot>();
    this.#byClient.update?.(pool);
    return this.#byClient.pick(pool, unfit, { ...NO_FEATURES, key, random: this.#tools.random });
  }

  #visitOf(forwardedFor: string, peer: Peer, peers: PeerDirectory): SharedVisit {
    const client = this.#networks.of(peers.clientOf(peer, forwardedFor));
    return new SharedVisit(this, 'ip', client, 0, client.length);
  }
}

function spaceOf(kind: IdKind, tier: string): string {
  return tier === '' ? kind : `${kind} ${tier}`;
}
