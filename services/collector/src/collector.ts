import { type BackendState, type BackendStats, UsherError } from '@usher/domain';
import {
  type AgentReport,
  type EventDraft,
  envelop,
  eventSubject,
  STATS_PREFIX,
  type UsherEvent,
} from '@usher/events';
import type { Sample, Service, ServiceContext, Subscription, Timer } from '@usher/ports';
import { AgentDesk } from './agent-desk.ts';
import { CollectorLease } from './collector-lease.ts';
import { parseReport, parseReportText } from './parse-report.ts';
import { ReportWindow } from './report-window.ts';
import { worthWriting } from './worth-writing.ts';

/** At most one report per backend is written in this time. */
const WRITE_EVERY_MS = 1_000;

type Outcome = 'accepted' | 'invalid' | 'unknown_backend';

/** What was written about a backend but may not have been folded yet. */
interface Announced {
  readonly stale: boolean;
  readonly stats: BackendStats | null;
}

export interface Collector extends Service {
  /** Where agents register their backends. */
  readonly agents: AgentDesk;
  /**
   * Takes a report from elsewhere than the bus and passes it on to all collectors. Throws UsherError `invalid_input`,
   * `not_found` when the fleet has no such backend, and `log_unavailable` while nothing can be passed on.
   */
  submit(backend: string, report: unknown): void;
  /** Agents' backends of this pool may be silent for this long before this process first hears of them. Default: as others. */
  grantSilence(pool: string, staleAfterMs: number): void;
}

/**
 * Turns agents' reports into facts on the log: what changed, who fell silent, who came back. Every collector hears every
 * report; one writes.
 */
export function startCollector(context: ServiceContext): Collector {
  return new StatsCollector(context);
}

class StatsCollector implements Collector {
  readonly name = 'collector';
  readonly agents: AgentDesk;
  readonly #context: ServiceContext;
  readonly #lease: CollectorLease;
  readonly #windows = new Map<string, ReportWindow>();
  /** By pools. */
  readonly #grantedMs = new Map<string, number>();
  readonly #announced = new Map<string, Announced>();
  readonly #reports: Record<Outcome, number> = { accepted: 0, invalid: 0, unknown_backend: 0 };
  readonly #written = new Map<string, number>();
  readonly #subscriptions: readonly Subscription[];
  readonly #timer: Timer;
  /** Silence counts from here: before, nothing could have been heard. */
  #listeningSinceMs: number;
  #outboxFull = false;

  constructor(context: ServiceContext) {
    this.#context = context;
    this.#listeningSinceMs = context.clock.steady();
    this.#lease = new CollectorLease(context);
    this.agents = new AgentDesk(context);
    const reports = context.bus.subscribe(`${STATS_PREFIX}.>`, (subject, payload) => {
      this.#hear(subject.slice(STATS_PREFIX.length + 1), payload);
    });
    this.#subscriptions = [
      reports,
      this.agents.serve(),
      context.fleet.onRecord((record) => record.events.forEach((event) => this.#forget(event))),
    ];
    this.#register();
    void this.#lease.renew();
    this.#timer = context.clock.every(WRITE_EVERY_MS, () => this.#tick());
  }

  fault(): string | undefined {
    return this.#lease.fault ?? (this.#outboxFull ? 'the outbox is full, reports are held back' : undefined);
  }

  async stop(): Promise<void> {
    this.#timer.cancel();
    for (const subscription of this.#subscriptions) subscription.stop();
    await this.#lease.release();
  }

  submit(backend: string, report: unknown): void {
    const stats = parseReport(report);
    const outcome = this.#judge(backend, stats);
    if (outcome !== 'accepted') this.#reports[outcome] += 1;
    if (typeof stats === 'string') throw new UsherError('invalid_input', stats);
    if (outcome === 'unknown_backend') throw new UsherError('not_found', 'The fleet has no such backend');
    if (!this.#context.events.status().connected) throw new UsherError('log_unavailable');
    this.#context.bus.publish(`${STATS_PREFIX}.${backend}`, JSON.stringify(stats));
  }

  grantSilence(pool: string, staleAfterMs: number): void {
    this.#grantedMs.set(pool, staleAfterMs);
  }

  #hear(backend: string, payload: string): void {
    const stats = parseReportText(payload);
    const outcome = this.#judge(backend, stats);
    this.#reports[outcome] += 1;
    if (outcome !== 'accepted' || typeof stats === 'string') return;
    this.#windowOf(backend).take(stats, this.#context.clock);
  }

  #judge(backend: string, stats: AgentReport | string): Outcome {
    if (typeof stats === 'string') return 'invalid';
    return this.#context.fleet.state.backends.has(backend) ? 'accepted' : 'unknown_backend';
  }

  #tick(): void {
    void this.#lease.renew();
    const { backends } = this.#context.fleet.state;
    if (!this.#context.events.status().connected) {
      // Cut off from the log, and in most fleets from the agents too: their silence says nothing about them.
      this.#listeningSinceMs = this.#context.clock.steady();
      return;
    }
    if (!this.#lease.held) {
      this.#announced.clear();
      return;
    }
    this.#outboxFull = false;
    for (const [id, state] of backends) this.#announce(id, state);
  }

  /** The fleet knows no figures of a backend that is new, or was removed: whatever it reports next is news. */
  #forget({ type, subject }: UsherEvent): void {
    if (type !== 'backend.registered' && type !== 'backend.removed') return;
    this.#windows.delete(subject);
    this.#announced.delete(subject);
  }

  /** Writes what the log does not know yet about one backend. */
  #announce(backend: string, state: BackendState): void {
    const known: Announced = this.#announced.get(backend) ?? state;
    const window = this.#windowOf(backend);
    const drafts = this.#news(backend, known, window, this.#staleAfterMs(state, window));
    if (drafts.length === 0) return;
    const { outbox, clock, random, instance } = this.#context;
    const source = `usher/collector/${instance}`;
    const events = envelop(drafts, { source, timeMs: clock.now(), actor: 'collector' }, () => random.uuid());
    if (!outbox.offer(eventSubject('collector', backend), events)) {
      this.#outboxFull = true;
      return;
    }
    let announced = known;
    for (const { type } of drafts) {
      this.#written.set(type, (this.#written.get(type) ?? 0) + 1);
      if (type === 'backend.stats_reported') announced = { ...announced, stats: window.latest ?? null };
      else announced = { ...announced, stale: type === 'backend.went_stale' };
    }
    this.#announced.set(backend, announced);
  }

  #windowOf(backend: string): ReportWindow {
    let window = this.#windows.get(backend);
    if (window === undefined) this.#windows.set(backend, (window = new ReportWindow()));
    return window;
  }

  #staleAfterMs({ settings, origin }: BackendState, { latest, staleAfterMs }: ReportWindow): number {
    const granted =
      latest === undefined && origin === 'agent' ? this.#grantedMs.get(settings.pool) : undefined;
    return granted ?? staleAfterMs;
  }

  #news(backend: string, known: Announced, window: ReportWindow, staleAfterMs: number): EventDraft[] {
    const nowMs = this.#context.clock.steady();
    const { latest: report } = window;
    const latest = report ?? known.stats;
    if (latest === null) return [];
    const silentMs = window.silentMs(nowMs);
    if (Math.min(silentMs, nowMs - this.#listeningSinceMs) > staleAfterMs) {
      if (known.stale) return [];
      return [{ type: 'backend.went_stale', subject: backend, data: { backend, lastReportMs: latest.atMs } }];
    }
    if (report === undefined || silentMs > staleAfterMs) return [];
    const drafts: EventDraft[] = [];
    if (known.stale) drafts.push({ type: 'backend.came_back', subject: backend, data: { backend } });
    if (known.stale || worthWriting(known.stats, report)) {
      drafts.push({ type: 'backend.stats_reported', subject: backend, data: { backend, stats: report } });
    }
    return drafts;
  }

  #register(): void {
    const { metrics, clock } = this.#context;
    metrics.counter('usher_collector_reports_total', 'Reports of agents by what became of them', () =>
      Object.entries(this.#reports).map(([outcome, value]) => ({ labels: { outcome }, value })),
    );
    metrics.counter('usher_collector_events_total', 'Events that the collector wrote', () =>
      [...this.#written].map(([type, value]) => ({ labels: { type }, value })),
    );
    metrics.gauge('usher_collector_report_age_seconds', 'Time since a backend last reported', () => {
      const samples: Sample[] = [];
      for (const [backend, window] of this.#windows) {
        if (window.latest !== undefined)
          samples.push({ labels: { backend }, value: window.silentMs(clock.steady()) / 1_000 });
      }
      return samples;
    });
    metrics.gauge(
      'usher_collector_leading',
      '1 on the collector that writes, 0 on those that stand by',
      () => [{ labels: {}, value: this.#lease.held ? 1 : 0 }],
    );
  }
}
