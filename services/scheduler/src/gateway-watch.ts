import type { EventDraft } from '@usher/events';
import type { ServiceContext } from '@usher/ports';
import { StoreUnavailableError } from '@usher/ports';

/** A gateway that has held no lease for this long is gone. Longer than a lease lives, so a slow renewal is forgiven. */
const ABSENCE_MAX_MS = 10_000;

/** Notices gateways that died without saying so: a running gateway holds the lease `gateway/<instance>`. */
export class GatewayWatch {
  readonly #context: ServiceContext;
  readonly #absentSinceMs = new Map<string, number>();

  constructor(context: ServiceContext) {
    this.#context = context;
  }

  /** Forgets what was seen, for a new term. */
  reset(): void {
    this.#absentSinceMs.clear();
  }

  /** Events for gateways that have been gone for long enough. While the store is away nobody can be missed. */
  async look(): Promise<EventDraft[]> {
    const { store, fleet, clock } = this.#context;
    let present: Set<string>;
    try {
      present = new Set(
        (await store.listLeases('gateway/')).map(({ name }) => name.slice('gateway/'.length)),
      );
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      this.#absentSinceMs.clear();
      return [];
    }
    const drafts: EventDraft[] = [];
    for (const [gateway, { running }] of fleet.state.gateways) {
      if (!running || present.has(gateway)) {
        this.#absentSinceMs.delete(gateway);
        continue;
      }
      const since = this.#absentSinceMs.get(gateway) ?? clock.steady();
      this.#absentSinceMs.set(gateway, since);
      if (clock.steady() - since < ABSENCE_MAX_MS) continue;
      drafts.push({ type: 'gateway.lost', subject: gateway, data: { gateway, cause: 'its lease ended' } });
    }
    return drafts;
  }
}
