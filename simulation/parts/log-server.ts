import {
  type Appended,
  ConflictError,
  type LogRecord,
  type Position,
  type RecordDraft,
  type Snapshot,
} from '@usher/ports';
import type { Chance } from '../world/chance.ts';
import type { Network, Node } from '../world/network.ts';
import { Scope } from '../world/scope.ts';
import type { World } from '../world/world.ts';
import type { LogDisk } from './log-disk.ts';

/** How long a sync takes. */
const SYNC_MIN_MS = 0.2;
const SYNC_MEAN_MS = 1;
/** Records of one message to a reader. */
const BATCH_MAX = 200;

/** A reader that is told of new records for as long as its connection holds. */
interface Session {
  readonly reader: Node;
  readonly id: string;
  next: Position;
  take(records: readonly LogRecord[]): void;
}

/**
 * The server of the log, by the rules of the drivers: records are numbered without gaps, an id is stored once, a condition
 * on a subject's last position is checked in one step with storing, and nothing is answered or shown that a crash
 * could take back.
 */
export class LogServer {
  readonly name = 'nats';
  scope: Scope;
  /** Counts the starts; a connection is to one of them. */
  incarnation = 1;
  readonly disk: LogDisk;
  readonly #world: World;
  readonly #network: Network;
  readonly #chance: Chance;
  readonly #onWrite: (position: Position, draft: RecordDraft) => void;
  readonly #sessions = new Map<string, Session>();
  #waiting: { readonly position: Position; readonly settle: () => void }[] = [];
  #syncing = false;
  /** The disk takes so much longer. */
  stallMs = 0;

  constructor(
    world: World,
    network: Network,
    chance: Chance,
    disk: LogDisk,
    onWrite: (position: Position, draft: RecordDraft) => void,
  ) {
    this.#onWrite = onWrite;
    this.#world = world;
    this.#network = network;
    this.#chance = chance;
    this.disk = disk;
    this.scope = new Scope(world);
  }

  /** It loses its memory and what was not synced, and is gone until `start`. */
  crash(): void {
    this.scope.kill();
    this.#sessions.clear();
    this.#waiting = [];
    this.#syncing = false;
    const gone = this.disk.crash(this.#chance);
    this.#world.note(this.name, `crashed, ${gone} records gone`);
  }

  start(): void {
    this.incarnation += 1;
    this.scope = new Scope(this.#world);
    this.#world.note(this.name, `started at position ${this.disk.durable}`);
  }

  append(draft: RecordDraft, by: string): Promise<Appended> {
    const { disk } = this;
    const { subject, expect, events } = draft;
    const stored = disk.positionOf(events[0]?.id ?? '');
    if (stored !== undefined) return this.#synced(stored, () => ({ position: stored, duplicate: true }));
    const last = disk.lastOf(subject);
    if (expect !== undefined && expect !== last) {
      return this.#synced(last, () => {
        throw new ConflictError(subject, expect, last);
      });
    }
    const position = disk.write(draft, by);
    this.#world.note(this.name, `${by} writes ${position} ${events.map(({ type }) => type).join()}`);
    this.#onWrite(position, draft);
    return this.#synced(position, () => ({ position, duplicate: false }));
  }

  lastOf(subject: string): Promise<Position> {
    const last = this.disk.lastOf(subject);
    return this.#synced(last, () => last);
  }

  async head(): Promise<Position> {
    return this.disk.durable;
  }

  async records(after: Position, until: Position): Promise<readonly LogRecord[]> {
    const last = Math.min(this.disk.durable, until);
    const count = Math.max(0, last - after);
    return Array.from({ length: count }, (_, index) => this.disk.read(after + 1 + index));
  }

  async saveSnapshot(snapshot: Snapshot): Promise<void> {
    this.disk.snapshots.push(snapshot);
  }

  async loadSnapshot(until: Position): Promise<Snapshot | undefined> {
    return this.disk.snapshots.findLast(({ position }) => position <= until);
  }

  /** Hands over what comes after a position, from now on and in order. */
  async open(session: Session): Promise<void> {
    this.#sessions.set(session.id, session);
    this.#push(session);
  }

  closeSession(id: string): void {
    this.#sessions.delete(id);
  }

  /** Whether a reader is still told. */
  has(session: string): boolean {
    return this.#sessions.has(session);
  }

  #synced<T>(position: Position, answer: () => T): Promise<T> {
    if (position <= this.disk.durable) return Promise.try(answer);
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const settle = (): void => {
      try {
        resolve(answer());
      } catch (error) {
        reject(error);
      }
    };
    this.#waiting.push({ position, settle });
    this.#sync();
    return promise;
  }

  /** Whatever came in while the last sync ran is synced by the next. */
  #sync(): void {
    if (this.#syncing) return;
    this.#syncing = true;
    const position = this.disk.written;
    this.scope.after(SYNC_MIN_MS + this.#chance.exponential(SYNC_MEAN_MS) + this.stallMs, () => {
      this.#syncing = false;
      this.disk.sync(position);
      const waiting = this.#waiting;
      this.#waiting = waiting.filter((each) => each.position > position);
      for (const each of waiting) if (each.position <= position) each.settle();
      for (const session of this.#sessions.values()) this.#push(session);
      if (this.#waiting.length > 0) this.#sync();
    });
  }

  #push(session: Session): void {
    const last = Math.min(this.disk.durable, session.next + BATCH_MAX - 1);
    if (session.next > last) return;
    const from = session.next;
    const records = Array.from({ length: last - from + 1 }, (_, index) => this.disk.read(from + index));
    session.next = last + 1;
    this.#network.send({
      from: this.name,
      to: session.reader,
      what: `records ${from} to ${last}`,
      lane: session.id,
      deliver: () => session.take(records),
      lost: () => this.#sessions.delete(session.id),
    });
    if (session.next <= this.disk.durable) this.#push(session);
  }
}
