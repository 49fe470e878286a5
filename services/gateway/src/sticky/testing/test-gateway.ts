import { emptyFleet } from '@usher/domain';
import type { StateStore } from '@usher/ports';
import { openEmbeddedStore } from '@usher/state-store';
import { SimulatedClock } from '@usher/testing';
import { SessionBook } from '../../control/session-book.ts';
import { SessionNames } from '../../control/session-names.ts';
import { StickyDesk } from '../../control/sticky-desk.ts';
import type { BackendSlot } from '../../routing-table.ts';
import { pool as poolSettings, row } from '../../testing/fixtures.ts';
import { TestTable } from '../../testing/table.ts';
import type { SharedStickySettings } from '../shared-sessions.ts';
import { StoreAsks } from '../store-asks.ts';
import { peerAt, visit } from './visits.ts';

export const HOUR_MS = 3_600_000;
const BY_HEADER: SharedStickySettings = {
  by: 'header',
  name: 'x-user',
  fallback: 'none',
  ttlMs: 24 * HOUR_MS,
  idleMs: HOUR_MS,
  affinity: true,
};
export const BACKENDS = ['a', 'b', 'c', 'd', 'e'];

/** The store of a fleet, which can be away. */
export class SharedStore {
  readonly clock = new SimulatedClock();
  store: StateStore = openEmbeddedStore({ clock: this.clock });
  away = false;
  /** Since when it is as it is. */
  sinceMs = 0;

  /** Has it lost everything, and come back. */
  async lose(): Promise<void> {
    await this.store.close();
    this.store = openEmbeddedStore({ clock: this.clock });
    this.sinceMs = this.clock.now();
  }
}

/** A worker, its control thread and the fleet's store, which can be away. */
export class TestGateway {
  readonly #shared: SharedStore;
  readonly #settings: SharedStickySettings;
  readonly #desk: StickyDesk;
  harness: TestTable;
  /** What the store was asked. */
  readonly asked: string[] = [];

  constructor(shared: SharedStore, changes: Partial<SharedStickySettings> = {}) {
    this.#shared = shared;
    this.#settings = { ...BY_HEADER, ...changes } as SharedStickySettings;
    const store = {
      get sticky() {
        return shared.store.sticky;
      },
      status: () => ({ connected: !shared.away, sinceMs: shared.sinceMs }),
    };
    this.#desk = new StickyDesk(
      store,
      new SessionBook(shared.clock),
      new SessionNames({ state: emptyFleet() }),
    );
    this.harness = this.#worker();
  }

  /** Has another worker in the place of the present one, which knows nothing. */
  replaceWorker(): void {
    const { nowMs } = this.harness;
    this.harness = this.#worker();
    this.harness.advance(nowMs - this.harness.nowMs);
  }

  /** Where a request goes, if the strategy would choose `choice`. */
  async at(user: string, choice = 'a', parts: { lines?: string; tier?: string; ip?: string } = {}) {
    const { lines = user === '' ? '' : `X-User: ${user}\r\n`, tier = '', ip = '10.0.0.1' } = parts;
    const found = visit(this.harness.pool, lines, peerAt(ip));
    if (found === undefined) return undefined;
    found.tier = tier;
    const choose = () => {
      const { eligible } = this.harness.pool;
      return eligible.find(({ id }) => id === choice) ?? eligible[0];
    };
    let slot = found.preferred([]);
    if (slot === undefined) {
      const { promise, resolve } = Promise.withResolvers<BackendSlot | undefined>();
      if (found.question === undefined) resolve(choose());
      else found.question.settle(choose, resolve);
      slot = await promise;
    }
    if (slot !== undefined) found.began(slot);
    return slot?.id;
  }

  advance(ms: number): void {
    this.harness.advance(ms);
    this.#shared.clock.advance(ms);
  }

  #worker(): TestTable {
    const asks: StoreAsks = new StoreAsks(
      (id, question) => {
        this.asked.push(question.want.kind);
        void this.#desk.answer(question).then((answer) => asks.answered(id, answer));
      },
      () => this.harness.nowMs,
    );
    return new TestTable(
      BACKENDS.map((id) => row(id)),
      poolSettings({ sticky: this.#settings }),
      asks,
    );
  }
}

/** Lets what was asked be answered. */
export const settled = () => new Promise((resolve) => setImmediate(resolve));
