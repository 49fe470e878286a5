import type { StickyMoveReason } from '@usher/domain';
import type { Metrics } from '@usher/ports';
import type { StickyCounts } from '../sticky/sticky.ts';
import type { Measurement } from '../worker/protocol.ts';

type Sessions = Measurement['sessions'];

const OUTCOMES: readonly (keyof StickyCounts)[] = ['kept', 'begun', 'moved', 'alone'];

/** What several workers counted, by pool. */
export function addSessions(all: Sessions): Sessions {
  const sums = new Map<string, StickyCounts>();
  for (const { pool, counts } of all) {
    const sum = sums.get(pool);
    if (sum === undefined) {
      sums.set(pool, { ...counts });
      continue;
    }
    sum.kept += counts.kept;
    sum.begun += counts.begun;
    sum.moved += counts.moved;
    sum.refused += counts.refused;
    sum.alone += counts.alone;
  }
  return Array.from(sums, ([pool, counts]) => ({ pool, counts }));
}

export interface StickySources {
  readonly all: () => Promise<readonly Measurement[]>;
  /** Sessions that this gateway moved, by pool and reason. */
  readonly moves: () => Iterable<{
    readonly pool: string;
    readonly reason: StickyMoveReason;
    readonly count: number;
  }>;
}

/** Registers what there is to know of pools that keep the requests of a client together. */
export function exposeSessions(metrics: Metrics, { all, moves }: StickySources): void {
  const perPool = async () => addSessions((await all()).flatMap(({ sessions }) => sessions));
  metrics.counter(
    'usher_sticky_requests_total',
    'Requests of pools that keep those of a client together: `kept` where the session was, `begun` with it, `moved` elsewhere; `alone` while the store was away',
    async () =>
      (await perPool()).flatMap(({ pool, counts }) =>
        OUTCOMES.map((outcome) => ({ labels: { pool, outcome }, value: counts[outcome] })),
      ),
  );
  metrics.counter(
    'usher_sticky_cookies_refused_total',
    'Cookies that nobody in the fleet has made, or that were changed',
    async () => (await perPool()).map(({ pool, counts }) => ({ labels: { pool }, value: counts.refused })),
  );
  metrics.counter('usher_sticky_moves_total', 'Sessions that went to another backend, by why', () =>
    Array.from(moves(), ({ pool, reason, count }) => ({ labels: { pool, reason }, value: count })),
  );
}
