import type { Features } from '@usher/domain';
import type { BackendSlot, PoolTable } from '../routing-table.ts';
import type { Guest, Wait } from '../waiting.ts';
import type { ReserveResult, WhyClosed } from '../worker/protocol.ts';
import { whyNobody } from './pool-table.ts';
import type { ReservationDesk } from './reservation-desk.ts';

/** Beyond the time that a request may queue: the control thread's answer has to have come by then. */
const ANSWER_MAX_MS = 5_000;

const WHY_CLOSED: Readonly<Record<WhyClosed, string>> = {
  store_away: 'the store of reservations does not answer',
  restoring: 'the store of reservations has just been started',
  unknown: 'the gateway does not know the tier yet',
  stopping: 'the gateway is stopping',
};

/** What a wait needs of its worker. */
interface Host {
  readonly desk: ReservationDesk;
  readonly now: () => number;
  /** Whose allocation it is; undefined = the request's own. */
  readonly session: string | undefined;
  /** Who comes into question without these, best first. */
  rank(without: readonly BackendSlot[]): readonly BackendSlot[];
  begin(slot: BackendSlot): boolean;
}

/** One request's wait until what its tier needs is reserved for it on a backend. */
export class ReservationWait implements Wait {
  readonly brief = false;
  readonly dueMs: number;
  readonly #pool: PoolTable;
  readonly #features: Features;
  readonly #guest: Guest;
  readonly #host: Host;
  /** Out of question for this request. */
  readonly #without: BackendSlot[];
  #candidates: readonly BackendSlot[] = [];
  #asked: number | undefined;
  /** How many backends lack what. */
  readonly #short = new Map<string, number>();

  constructor(pool: PoolTable, tried: readonly BackendSlot[], features: Features, guest: Guest, host: Host) {
    this.#pool = pool;
    this.#features = features;
    this.#guest = guest;
    this.#host = host;
    this.#without = [...tried];
    this.dueMs = host.now() + (pool.settings.queue?.timeoutMs ?? 0) + ANSWER_MAX_MS;
  }

  begin(): void {
    const { settings, eligible } = this.#pool;
    if (eligible.length === 0) this.#guest.onNoRoom('no_backend', whyNobody(this.#pool));
    else this.#ask(settings.tiers?.[this.#features.tier]?.name ?? '');
  }

  leave(): void {
    if (this.#asked !== undefined) this.#host.desk.withdraw(this.#asked);
    this.#asked = undefined;
  }

  expire(): void {
    this.leave();
    this.#guest.onNoRoom('no_capacity', 'reservations were not answered in time');
  }

  #ask(tier: string): void {
    const { desk } = this.#host;
    this.#candidates = this.#host.rank(this.#without);
    const candidates = this.#candidates.map(({ id }) => id);
    if (candidates.length === 0) {
      this.#guest.onNoRoom('no_capacity', this.#whyNot(tier));
      return;
    }
    const { session } = this.#host;
    const wanted = { pool: this.#pool.id, tier, candidates, session, more: this.#hasMore() };
    this.#asked = desk.ask(wanted, (result) => this.#onResult(result, tier));
  }

  /** Whether there is anybody to ask for when all candidates are full. */
  #hasMore(): boolean {
    const { eligible } = this.#pool;
    if (eligible.length <= this.#candidates.length) return false;
    return eligible.some((slot) => !this.#candidates.includes(slot) && !this.#without.includes(slot));
  }

  #onResult(result: ReserveResult, tier: string): void {
    this.#asked = undefined;
    if (result.outcome === 'granted') this.#onGranted(result.backend, result.allocation, tier);
    else if (result.outcome === 'full') this.#onFull(result.short, tier);
    else this.#guest.onNoRoom('no_capacity', WHY_CLOSED[result.why]);
  }

  #onGranted(backend: string, allocation: string, tier: string): void {
    const { desk } = this.#host;
    const { id } = this.#pool;
    const slot = this.#pool.slots.find((each) => each.id === backend);
    if (slot !== undefined && this.#pool.eligible.includes(slot) && this.#host.begin(slot)) {
      this.#guest.onRoom(slot, { release: () => desk.giveBack(id, allocation) });
      return;
    }
    // Gone, or at its limit, since it was asked for.
    desk.giveBack(id, allocation);
    const candidate = this.#candidates.find((each) => each.id === backend);
    if (candidate !== undefined) this.#without.push(candidate);
    this.#ask(tier);
  }

  #onFull(short: Readonly<Record<string, string>>, tier: string): void {
    for (const lack of Object.values(short)) this.#short.set(lack, (this.#short.get(lack) ?? 0) + 1);
    this.#without.push(...this.#candidates);
    this.#ask(tier);
  }

  #whyNot(tier: string): string {
    const reasons = [...this.#short].map(([lack, count]) => `${lack} ${count}`).toSorted();
    const why = reasons.length === 0 ? '' : `; backends that lack: ${reasons.join(', ')}`;
    return `no backend has room for tier ${tier}${why}`;
  }
}
