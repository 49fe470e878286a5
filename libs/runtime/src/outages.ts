import {
  type Clock,
  type EventLog,
  type FleetView,
  type Metrics,
  type StateStore,
  StoreUnavailableError,
  type Timer,
} from '@usher/ports';

/** How often is looked; short against the seconds in which a standby takes over. */
const LOOK_EVERY_MS = 1_000;
/** So long nobody may hold a service's lease before that is an outage: at a start, and when one takes over, nobody does for a moment. */
const LEASE_GAP_MS = 3_000;

/** What a fleet needs beside its gateways. */
const OUTAGE_PARTS = ['event_log', 'store', 'scheduler', 'health', 'collector'] as const;
export type OutagePart = (typeof OUTAGE_PARTS)[number];

/** Something that this process does without at present. */
export interface Outage {
  readonly part: OutagePart;
  readonly sinceMs: number;
  /** What is away, and what that means, in a sentence without its end. */
  readonly what: string;
}

const WHAT: Readonly<Record<OutagePart, string>> = {
  event_log: 'The event log is away: traffic flows by the last state, and commands are refused',
  store: 'The state store is away: sessions and reservations go by what is known without it',
  scheduler: 'No scheduler leads: commands are refused, and drains and breakers of the fleet wait',
  health: 'Nobody probes: the last known health counts, and what gateways see themselves',
  collector: 'Nobody collects what agents report: choices by resources go by old reports',
};

export interface OutagesOptions {
  readonly clock: Clock;
  readonly events: Pick<EventLog, 'status'>;
  readonly store: Pick<StateStore, 'status' | 'listLeases'>;
  readonly fleet: Pick<FleetView, 'state'>;
  /** Called when an outage begins, and with `over` when it ends. */
  readonly onChange: (outage: Outage, over: boolean) => void;
}

/** Knows what of the fleet this process does without, and since when. */
export class Outages {
  readonly #options: OutagesOptions;
  readonly #current = new Map<OutagePart, Outage>();
  /** Since when nobody holds the lease of these services. */
  readonly #vacant = new Map<OutagePart, { readonly sinceMs: number; readonly foundMs: number }>();
  #timer: Timer | undefined;
  #looking: Promise<void> | undefined;

  constructor(options: OutagesOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = this.#options.clock.every(LOOK_EVERY_MS, () => void this.look());
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** In the order of `OUTAGE_PARTS`. */
  get current(): readonly Outage[] {
    return OUTAGE_PARTS.flatMap((part) => this.#current.get(part) ?? []);
  }

  /** Looks now; resolves when everything was looked at. One look at a time. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  exposeMetrics(metrics: Metrics): void {
    metrics.gauge(
      'usher_degraded_since_seconds',
      'Since when this process does without a part of the fleet, in seconds since the epoch; 0 = it does not',
      () =>
        OUTAGE_PARTS.map((part) => ({
          labels: { part },
          value: (this.#current.get(part)?.sinceMs ?? 0) / 1000,
        })),
    );
  }

  async #look(): Promise<void> {
    const { events, store } = this.#options;
    const [log, storage] = [events.status(), store.status()];
    this.#set('event_log', log.connected ? undefined : log.sinceMs);
    this.#set('store', storage.connected ? undefined : storage.sinceMs);
    if (!storage.connected) return;
    try {
      const held = new Set((await store.listLeases('')).map(({ name }) => name));
      this.#setVacant('scheduler', !held.has('scheduler'));
      this.#setVacant('health', !held.has('health') && this.#isProbed());
      this.#setVacant('collector', !held.has('collector') && this.#hasAgents());
    } catch (error) {
      // Who holds what is not known without the store; the next look sees that it is away.
      if (!(error instanceof StoreUnavailableError)) throw error;
    }
  }

  #setVacant(part: OutagePart, vacant: boolean): void {
    const { clock } = this.#options;
    if (!vacant) this.#vacant.delete(part);
    else if (!this.#vacant.has(part))
      this.#vacant.set(part, { sinceMs: clock.now(), foundMs: clock.steady() });
    const found = this.#vacant.get(part);
    const isLong = found !== undefined && clock.steady() - found.foundMs >= LEASE_GAP_MS;
    this.#set(part, isLong ? found.sinceMs : undefined);
  }

  #set(part: OutagePart, sinceMs: number | undefined): void {
    const known = this.#current.get(part);
    if (sinceMs === undefined) {
      if (known === undefined) return;
      this.#current.delete(part);
      this.#options.onChange(known, true);
    } else if (known === undefined) {
      const outage = { part, sinceMs, what: WHAT[part] };
      this.#current.set(part, outage);
      this.#options.onChange(outage, false);
    }
  }

  #isProbed(): boolean {
    const { pools } = this.#options.fleet.state;
    return [...pools.values()].some(({ settings }) => settings.health.type !== 'none');
  }

  #hasAgents(): boolean {
    return [...this.#options.fleet.state.pools.values()].some(({ settings }) => settings.agents);
  }
}
