import type { IncomingMessage } from 'node:http';
import type { Features, SpherePoint, Tier } from '@usher/domain';
import type { RequestHead } from '@usher/http1';
import type { BackendSlot } from '../routing-table.ts';
import type { Peer, PeerDirectory } from '../wire/peer.ts';

/** How a pool keeps the requests of a client together. */
export interface Sticky {
  /** The part that a request has in a session; undefined when it does not say whose it is. Takes our cookie out of the head. */
  visitHead(head: RequestHead, peer: Peer, peers: PeerDirectory): Visit | undefined;
  /** The same for a request that Node has parsed. */
  visitMessage(message: IncomingMessage, peer: Peer, peers: PeerDirectory): Visit | undefined;
  /** Somebody else sends a session's requests to this backend from now on. */
  hear(session: string, backend: string): void;
  /** Sessions, or one of them, are over: what is known of them does not count any more. */
  forget(session: string | undefined): void;
  readonly counts: StickyCounts;
}

/** Since the start of the worker. */
export interface StickyCounts {
  /** Requests that went where their session was, that began one, and whose session went elsewhere with them. */
  kept: number;
  begun: number;
  moved: number;
  /** Cookies that nobody here has made, or that had been changed. */
  refused: number;
  /** Requests of sessions that the store could not be asked for. */
  alone: number;
}

export function newCounts(): StickyCounts {
  return { kept: 0, begun: 0, moved: 0, refused: 0, alone: 0 };
}

/** One request's part in a session. */
export interface Visit {
  /** Names the session, the same for all of its requests. */
  readonly session: string;
  /** What is left of the request's cookies for the backend; undefined = all of them. */
  readonly cookies: string | undefined;
  /** The tier of the request, to be set before anything else is asked. */
  tier: string;
  /** The place of that among the tiers of the pool. */
  tierAt: number;
  /** Where the session is, as long as the request may go there; undefined when it has to go elsewhere, or that is not known. */
  preferred(tried: readonly BackendSlot[]): BackendSlot | undefined;
  /** Where the session is as far as is known here, and the slot there if the request may go to it. Has no effect. */
  seen(): { readonly backend: string | undefined; readonly slot: BackendSlot | undefined };
  /** Present when the store has to be asked before the request is placed. */
  readonly question: Question | undefined;
  /** An attempt was begun on this backend, where the session is from now on. */
  began(slot: BackendSlot): void;
  /** Value of a Set-Cookie header that the client has to be given, or empty. */
  setCookie(): string;
}

/** What a session has to ask the store. */
export interface Question {
  /** Learns where the session is; afterwards `preferred` tells. Answers with what ends it before. */
  look(done: () => void): () => void;
  /**
   * Settles where the session is: where the store says, or else where `choose` does and the store agrees. `done` gets
   * nothing when nobody can be chosen. Answers with what ends it before.
   */
  settle(choose: () => BackendSlot | undefined, done: (slot: BackendSlot | undefined) => void): () => void;
}

/** Features of a request that is part of a session. */
class VisitFeatures implements Features {
  readonly key: number;
  readonly tier: number;
  readonly from: SpherePoint | undefined;
  readonly visit: Visit;

  constructor({ key, tier, from }: Features, visit: Visit) {
    this.key = key;
    this.tier = tier;
    this.from = from;
    this.visit = visit;
  }
}

/** Adds a request's part in a session, if it has one, to what else is known of it. */
export function featuresWith(
  visit: Visit | undefined,
  features: Features,
  tiers: readonly Tier[] | undefined,
): Features {
  if (visit === undefined) return features;
  visit.tier = tiers?.[features.tier]?.name ?? '';
  visit.tierAt = features.tier;
  return new VisitFeatures(features, visit);
}

/** The session's part of a request's features. */
export function visitOf(features: Features): Visit | undefined {
  return features instanceof VisitFeatures ? features.visit : undefined;
}
