import { standingsOf } from '@usher/domain';
import type { EventDraft } from '@usher/events';
import type { Metrics, ServiceContext } from '@usher/ports';

/**
 * So long a gateway has to fail where others do not before that is said, and has to be well before it is taken back. When a
 * backend fails for all, the first gateway that notices is alone with that for a moment; and between an open breaker and its
 * failing trial there is a moment, too. Votes are not counted from the first moment on.
 */
const SUSPECTED_AFTER_MS = 3_000;
const CLEARED_AFTER_MS = 10_000;

/** Notices gateways that fail where others do not: most likely their own way out is broken. */
export class SuspectWatch {
  readonly #context: Pick<ServiceContext, 'fleet' | 'clock'>;
  /** Since when a gateway has been found to be other than what the log says of it. */
  readonly #changedMs = new Map<string, number>();

  constructor(context: Pick<ServiceContext, 'fleet' | 'clock'>) {
    this.#context = context;
  }

  /** Forgets what was seen, for a new term. */
  reset(): void {
    this.#changedMs.clear();
  }

  /** Events for gateways of which it has been so for long enough. */
  look(): EventDraft[] {
    const { fleet, clock } = this.#context;
    const { state } = fleet;
    const nowMs = clock.steady();
    const standings = standingsOf(state, clock.now());
    const drafts: EventDraft[] = [];
    for (const [gateway, { suspect }] of state.gateways) {
      const standing = standings.get(gateway);
      const found = standing?.trust === 'suspect';
      if (found === (suspect !== null)) {
        this.#changedMs.delete(gateway);
        continue;
      }
      const sinceMs = this.#changedMs.get(gateway) ?? nowMs;
      this.#changedMs.set(gateway, sinceMs);
      if (nowMs - sinceMs < (found ? SUSPECTED_AFTER_MS : CLEARED_AFTER_MS)) continue;
      if (standing?.trust === 'suspect') {
        const { tripped, used } = standing;
        drafts.push({ type: 'gateway.suspected', subject: gateway, data: { gateway, tripped, used } });
      } else {
        drafts.push({ type: 'gateway.cleared', subject: gateway, data: { gateway } });
      }
    }
    return drafts;
  }

  exposeMetrics(metrics: Metrics): void {
    metrics.gauge(
      'usher_gateway_suspect',
      'Whether a gateway fails where others do not, so that its votes on breakers do not count',
      () =>
        [...this.#context.fleet.state.gateways]
          .filter(([, { running }]) => running)
          .map(([gateway, { suspect }]) => ({ labels: { gateway }, value: suspect === null ? 0 : 1 })),
    );
  }
}
