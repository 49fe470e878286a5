import { FleetFold } from '@usher/actors';
import type { BackendSettings, BackendState, SharedSettings } from '@usher/domain';
import { createOutbox } from '@usher/event-log';
import { CONTROL_SUBJECT, type EventDraft, type EventType, envelop, type UsherEvent } from '@usher/events';
import type { HistogramSample, Metrics, Sample, ServiceContext } from '@usher/ports';
import { openEmbeddedStore } from '@usher/state-store';
import { MemoryEventLog, MemoryStorage, RecordingLog, seededRandom, wallClock } from '@usher/testing';
import { policy, pool } from './fixtures.ts';

/** Metrics that a test reads as they would be scraped. */
class ReadableMetrics implements Metrics {
  readonly #families = new Map<string, () => unknown>();

  counter(name: string, _help: string, collect: () => readonly Sample[] | Promise<readonly Sample[]>): void {
    this.#families.set(name, collect);
  }

  gauge(name: string, _help: string, collect: () => readonly Sample[] | Promise<readonly Sample[]>): void {
    this.#families.set(name, collect);
  }

  histogram(
    name: string,
    _help: string,
    _bounds: readonly number[],
    collect: () => readonly HistogramSample[] | Promise<readonly HistogramSample[]>,
  ): void {
    this.#families.set(name, collect);
  }

  async read(name: string): Promise<readonly Sample[]> {
    return (await this.#families.get(name)?.()) as readonly Sample[];
  }

  /** How many observations a histogram has. */
  async observed(name: string): Promise<number> {
    const samples = (await this.#families.get(name)?.()) as readonly HistogramSample[];
    return samples.flatMap(({ counts }) => counts).reduce((sum, count) => sum + count, 0);
  }

  /** Sum of the samples that have all of `labels`. */
  async sum(name: string, labels: Record<string, string> = {}): Promise<number> {
    const samples = await this.read(name);
    const wanted = samples.filter((sample) =>
      Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
    );
    return wanted.reduce((sum, { value }) => sum + value, 0);
  }
}

/** A fleet in one process: a log in memory, its fold, and what a gateway is given. */
export class TestFleet {
  readonly clock = wallClock;
  readonly fold = new FleetFold();
  readonly log = new RecordingLog();
  readonly metrics = new ReadableMetrics();
  readonly random = seededRandom(7);
  readonly events = new MemoryEventLog(this.clock, new MemoryStorage());
  readonly store = openEmbeddedStore({ clock: this.clock });
  readonly outbox = createOutbox({ events: this.events, clock: this.clock, log: this.log });
  /** Every event so far. */
  readonly history: UsherEvent[] = [];
  readonly #closing: (() => unknown)[] = [];
  readonly #tail = this.events.tail(0, (record) => {
    this.history.push(...record.events);
    this.fold.apply(record);
  });

  context(changes: Partial<ServiceContext> = {}): ServiceContext {
    return {
      instance: 'gw-1',
      owner: 'gw-1',
      version: '0.0.0',
      fleet: this.fold,
      events: this.events,
      outbox: this.outbox,
      bus: {
        request: async () => '',
        serve: () => ({ stop: () => {} }),
        publish: () => {},
        subscribe: () => ({ stop: () => {} }),
      },
      store: this.store,
      clock: this.clock,
      random: this.random,
      log: this.log,
      metrics: this.metrics,
      ...changes,
    };
  }

  /** Appends what a scheduler would decide, as one record. */
  async append(...drafts: EventDraft[]): Promise<void> {
    const origin = { source: 'usher/scheduler/test', timeMs: this.clock.now(), actor: 'test' };
    const events = envelop(drafts, origin, () => this.random.uuid());
    await this.events.append({ subject: CONTROL_SUBJECT, events });
  }

  /** Applies a configuration with the pool `web` and these backends. */
  async configure(
    backends: readonly BackendSettings[],
    changes: Partial<SharedSettings> = {},
  ): Promise<void> {
    const { pools = [pool()], backends: _none, ...rest } = changes;
    await this.append(
      { type: 'config.applied', subject: 'fleet', data: { revision: 1, hash: 'h', policy: policy(rest) } },
      ...pools.map((settings) => added(settings)),
      ...backends.map((settings) => registered(settings)),
    );
  }

  seen(type: EventType): UsherEvent[] {
    return this.history.filter((event) => event.type === type);
  }

  /** What was started last is closed first, and all of it before the log. */
  onClose(close: () => unknown): void {
    this.#closing.push(close);
  }

  async close(): Promise<void> {
    for (const close of this.#closing.splice(0).toReversed()) await close();
    this.outbox.close();
    await this.#tail.stop();
    await this.events.close();
    await this.store.close();
  }
}

function added(settings: SharedSettings['pools'][number]): EventDraft {
  return { type: 'pool.added', subject: settings.id, data: { settings, origin: 'config' } };
}

export function registered(settings: BackendSettings, origin: BackendState['origin'] = 'config'): EventDraft {
  const data = { settings, origin, health: 'unchecked' } as const;
  return { type: 'backend.registered', subject: settings.id, data };
}

export function backendAt(id: string, url: string, changes: Partial<BackendSettings> = {}): BackendSettings {
  return { id, pool: 'web', url, weight: 1, ...changes };
}
