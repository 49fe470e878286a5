import { sumOfLines } from '../table/line-counts.ts';
import type { ConnectFailureCount } from '../table/observation.ts';
import type { TlsCounts } from '../tls/counters.ts';
import type { WireCounts } from '../wire/counters.ts';
import { sumByMethod } from '../wire/method-counts.ts';
import type { Measurement } from '../worker/protocol.ts';
import { addSessions } from './sticky-metrics.ts';

/** What a worker counted that is no more, added to what others did: without it the gateway's counters would run backwards. */
export function addDeparted(sum: Measurement | undefined, departed: Measurement): Measurement {
  // What is open or choosable now, and how busy a worker is, ends with the worker.
  const lines = departed.lines.map(({ pool, counts }) => ({ pool, counts: { ...counts, waiting: 0 } }));
  const counted = { ...departed, lines, choosable: [], loopDelayMaxMs: 0, loopUtilization: 0 };
  if (sum === undefined) return counted;
  const routes = new Map(sum.routes.map((each) => [`${each.route} ${each.pool}`, each]));
  for (const each of departed.routes) {
    const key = `${each.route} ${each.pool}`;
    const before = routes.get(key);
    routes.set(
      key,
      before === undefined
        ? each
        : {
            ...each,
            answers: addEach(before.answers, each.answers),
            counts: addEach(before.counts, each.counts),
          },
    );
  }
  return {
    ...counted,
    mirrors: addMirrors(sum.mirrors, departed.mirrors),
    lines: addLines(sum.lines, counted.lines),
    sessions: addSessions([...sum.sessions, ...departed.sessions]),
    connectFailures: addFailures([...sum.connectFailures, ...departed.connectFailures]),
    routes: [...routes.values()],
    wire: addCounts(sum.wire, departed.wire),
    plugin: addCounts(sum.plugin, departed.plugin),
    tls: addTls(sum.tls, departed.tls),
  };
}

/** Handshakes of two workers together. */
export function addTls(a: TlsCounts, b: TlsCounts): TlsCounts {
  return {
    full: a.full + b.full,
    resumed: a.resumed + b.resumed,
    failures: addEach(a.failures, b.failures),
  };
}

/** Copies of two workers together. */
export function addMirrors(a: Measurement['mirrors'], b: Measurement['mirrors']): Measurement['mirrors'] {
  const sums = new Map<string, Measurement['mirrors'][number]>();
  for (const each of [...a, ...b]) {
    const key = `${each.route} ${each.pool}`;
    const before = sums.get(key);
    sums.set(key, before === undefined ? each : { ...each, counts: addEach(before.counts, each.counts) });
  }
  return [...sums.values()];
}

type Lines = Measurement['lines'];

function addLines(a: Lines, b: Lines): Lines {
  const pools = new Set([...a, ...b].map(({ pool }) => pool));
  return Array.from(pools, (pool) => ({
    pool,
    counts: sumOfLines([...a, ...b].filter((line) => line.pool === pool).map(({ counts }) => counts)),
  }));
}

function addFailures(all: Measurement['connectFailures']): ConnectFailureCount[] {
  const sums = new Map<string, ConnectFailureCount>();
  for (const each of all) {
    const key = `${each.backend} ${each.cause}`;
    sums.set(key, { ...each, count: each.count + (sums.get(key)?.count ?? 0) });
  }
  return [...sums.values()];
}

function addCounts(a: WireCounts, b: WireCounts): WireCounts {
  return {
    requestsByClass: addEach(a.requestsByClass, b.requestsByClass),
    byMethod: sumByMethod([a.byMethod, b.byMethod]),
    latencyCounts: addEach(a.latencyCounts, b.latencyCounts),
    latencySumMs: a.latencySumMs + b.latencySumMs,
    bytesIn: a.bytesIn + b.bytesIn,
    bytesOut: a.bytesOut + b.bytesOut,
    retries: a.retries + b.retries,
    clientAborts: a.clientAborts + b.clientAborts,
    badRequests: a.badRequests + b.badRequests,
    brokenResponses: a.brokenResponses + b.brokenResponses,
    connectionsAccepted: a.connectionsAccepted + b.connectionsAccepted,
    connectionsRefused: a.connectionsRefused + b.connectionsRefused,
    connectionsOpen: 0,
    handedOver: a.handedOver + b.handedOver,
    upgrades: a.upgrades + b.upgrades,
    upgradesRefused: a.upgradesRefused + b.upgradesRefused,
    upgradesOpen: 0,
  };
}

function addEach(a: readonly number[], b: readonly number[]): number[] {
  return a.map((value, index) => value + (b[index] ?? 0));
}
