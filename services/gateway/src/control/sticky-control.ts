import { eligibility, type PoolState, type StickyMoveReason } from '@usher/domain';
import { eventTimeMs } from '@usher/events';
import type { LogRecord, ServiceContext, Timer } from '@usher/ports';
import type { TableDelta } from '../routing-table.ts';
import type { MoveCause } from '../sticky/seats.ts';
import type { FromWorker } from '../worker/protocol.ts';
import type { Facts } from './facts.ts';
import type { SecretSettings } from './gateway-settings.ts';
import type { Projector } from './projector.ts';
import { SessionBook } from './session-book.ts';
import { SessionGossip } from './session-gossip.ts';
import { SessionNames } from './session-names.ts';
import { StickyDesk } from './sticky-desk.ts';
import { StickyKeys } from './sticky-keys.ts';
import { StickyNews } from './sticky-news.ts';
import type { Workers } from './workers.ts';

/** How often the log hears of sessions that were moved, and other gateways of those that began. */
const TELL_MS = 100;

/** The parts of the gateway that it works with. */
export interface StickyControlParts extends SecretSettings {
  readonly facts: Facts;
  readonly projector: Projector;
  readonly workers: Workers;
}

type Move = Omit<Extract<FromWorker, { readonly kind: 'sticky_moved' }>, 'kind'>;

/** The control thread's part in keeping clients' requests together: keys, the store, and who has to hear of what. */
export class StickyControl {
  readonly #context: ServiceContext;
  readonly #workers: Workers;
  readonly #names: SessionNames;
  readonly #book: SessionBook;
  readonly #gossip: SessionGossip;
  readonly #desk: StickyDesk;
  readonly #keys: StickyKeys;
  readonly news: StickyNews;
  #telling: Timer | undefined;

  constructor(context: ServiceContext, { facts, projector, workers, ...secrets }: StickyControlParts) {
    const { instance, store, clock, bus, fleet } = context;
    this.#context = context;
    this.#workers = workers;
    this.news = new StickyNews(instance, facts);
    this.#names = new SessionNames(fleet);
    this.#book = new SessionBook(clock);
    this.#gossip = new SessionGossip(instance, bus, this.#book);
    this.#desk = new StickyDesk(store, this.#book, this.#names);
    this.#keys = new StickyKeys({
      ...context,
      ...secrets,
      pools: () => projector.pools(),
      onChange: (deltas) => this.#broadcast(deltas),
    });
  }

  async start(): Promise<void> {
    await this.#keys.start();
    this.#gossip.start();
    this.#telling = this.#context.clock.every(TELL_MS, () => {
      this.news.tell();
      this.#gossip.tell();
    });
  }

  stop(): void {
    this.#keys.stop();
    this.#telling?.cancel();
    this.#gossip.stop();
    this.news.tell();
  }

  /** Everything, for a worker that knows nothing. */
  snapshot(): TableDelta[] {
    const { pools } = this.#context.fleet.state;
    return [...this.#keys.snapshot(), ...[...pools].flatMap(clearancesOf)];
  }

  /** Takes up a record: other pools, sessions that other gateways moved. */
  onRecord({ events }: LogRecord): void {
    const deltas: TableDelta[] = [];
    for (const event of events) {
      if (event.type === 'sticky.cleared')
        deltas.push({ kind: 'sticky_cleared', ...event.data, atMs: eventTimeMs(event) });
      if (event.type !== 'sticky.moved' || event.data.gateway === this.#context.instance) continue;
      const { data } = event;
      for (const { session, to } of data.sessions) {
        this.#book.hear(data.pool, this.#names.nameOf(data.pool, session), to);
        deltas.push({ kind: 'sticky_moved', pool: data.pool, session, to });
      }
    }
    this.#broadcast(deltas);
    if (events.some(({ type }) => type.startsWith('pool.'))) void this.#keys.follow();
  }

  onMessage(worker: number, message: FromWorker): void {
    if (message.kind === 'sticky_ask') void this.#ask(worker, message);
    else if (message.kind === 'sticky_moved') this.#onMoved(worker, message);
  }

  async #ask(
    worker: number,
    { id, question }: Extract<FromWorker, { readonly kind: 'sticky_ask' }>,
  ): Promise<void> {
    const answer = await this.#desk.answer(question);
    this.#workers.post(worker, { kind: 'sticky_answer', id, answer });
    const { want, pool, session, tier } = question;
    if (want.kind !== 'move' || answer.away || answer.backend !== want.to) return;
    const { from, to, cause } = want;
    this.#onMoved(worker, { pool, session: answer.common ? session : `${session}#${tier}`, from, to, cause });
  }

  #onMoved(worker: number, { pool, session, from, to, cause }: Move): void {
    this.#broadcast([{ kind: 'sticky_moved', pool, session, to }], worker);
    this.news.add({ pool, session, from, to, reason: this.#reasonOf(from, cause) });
  }

  /** To all workers but one. */
  #broadcast(deltas: readonly TableDelta[], except?: number): void {
    if (deltas.length === 0) return;
    this.#workers.broadcast({ kind: 'deltas', deltas, position: this.#context.fleet.position }, except);
  }

  /** A worker only knows that it may not send requests there; the log says why. */
  #reasonOf(from: string, cause: MoveCause): StickyMoveReason {
    if (cause !== 'ineligible') return cause;
    const backend = this.#context.fleet.state.backends.get(from);
    if (backend === undefined) return 'gone';
    const reason = eligibility(backend);
    if (reason !== 'ok') return reason;
    return backend.settings.weight === 0 ? 'weight' : 'breaker_open';
  }
}

/** What of a pool's sessions is over. */
function clearancesOf([pool, { cleared }]: [string, PoolState]): TableDelta[] {
  const all: TableDelta[] =
    cleared.all === null ? [] : [{ kind: 'sticky_cleared', pool, atMs: cleared.all.atMs }];
  return [
    ...all,
    ...Array.from(
      cleared.one,
      ([session, { atMs }]) => ({ kind: 'sticky_cleared', pool, session, atMs }) as const,
    ),
  ];
}
