import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbedded } from '@usher/event-log';
import type { UsherEvent } from '@usher/events';
import type { Clock, EventLog, Log } from '@usher/ports';

const APPEND_MS = 2000;
const IN_FLIGHT = [1, 64, 256];
const REPLAYED_EVENTS = 600_000;
const EVENTS_PER_RECORD = 30;

const clock: Clock = {
  now: () => Date.now(),
  steady: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return { cancel: () => clearTimeout(timer) };
  },
  every(ms, callback) {
    const timer = setInterval(callback, ms);
    return { cancel: () => clearInterval(timer) };
  },
};
const log: Log = { debug() {}, info() {}, warn: console.warn, error: console.error, child: () => log };

/** Appends per second and events replayed per second of the embedded event log. */
export async function run(): Promise<void> {
  for (const inFlight of IN_FLIGHT) {
    await withLog(async (events) => {
      const perSecond = await appendFor(events, inFlight);
      console.log(`append, ${inFlight} in flight, each synced: ${Math.round(perSecond)} records/s`);
    });
  }
  for (const [name, make] of Object.entries(SAMPLES)) {
    await withLog(async (events) => {
      for (let made = 0; made < REPLAYED_EVENTS; ) {
        const batch: Promise<unknown>[] = [];
        for (; batch.length < 200 && made < REPLAYED_EVENTS; made += EVENTS_PER_RECORD) {
          const record = Array.from({ length: EVENTS_PER_RECORD }, (_, index) => make(made + index));
          batch.push(events.append({ subject: 'usher.events.gateway.gw-1', events: record }));
        }
        await Promise.all(batch);
      }
      let count = 0;
      const startMs = performance.now();
      await events.replay(0, (record) => {
        count += record.events.length;
      });
      const perSecond = (count / (performance.now() - startMs)) * 1000;
      console.log(`replay, ${EVENTS_PER_RECORD} × ${name} a record: ${Math.round(perSecond)} events/s`);
    });
  }
}

async function appendFor(events: EventLog, inFlight: number): Promise<number> {
  const startMs = performance.now();
  let appended = 0;
  const writer = async (): Promise<void> => {
    while (performance.now() - startMs < APPEND_MS) {
      await events.append({ subject: 'usher.events.health.web-1', events: [latency(appended)] });
      appended += 1;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, writer));
  return (appended / (performance.now() - startMs)) * 1000;
}

async function withLog(measure: (events: EventLog) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'usher-bench-'));
  const opened = await openEmbedded({ dir, log, clock });
  try {
    await measure(opened.events);
  } finally {
    await opened.close();
    await rm(dir, { recursive: true });
  }
}

let issued = 0;

function envelope() {
  return {
    specversion: '1.0',
    id: `01900000-0000-7000-8000-${String(issued++).padStart(12, '0')}`,
    source: 'usher/gateway/gw-1',
    subject: 'web-1',
    time: '2026-01-01T00:00:00.000Z',
    dataversion: 1,
    actor: 'gateway',
  } as const;
}

function latency(index: number): UsherEvent {
  return { ...envelope(), type: 'backend.latency_measured', data: { backend: 'web-1', latencyMs: index } };
}

function tripped(index: number): UsherEvent {
  return {
    ...envelope(),
    type: 'breaker.tripped',
    data: {
      backend: 'web-1',
      gateway: 'gw-1',
      failures: 5,
      requests: 20,
      untilMs: 1_767_225_600_000 + index,
    },
  };
}

function observed(index: number): UsherEvent {
  const backends = ['web-1', 'web-2', 'web-3'].map((backend) => ({
    backend,
    requests: index,
    failures: 0,
    latencySumMs: 12.5,
  }));
  return {
    ...envelope(),
    type: 'gateway.observed',
    data: { gateway: 'gw-1', windowMs: 100, requests: 3 * index, errors: 0, backends },
  };
}

function stats(index: number): UsherEvent {
  const memory = { memoryUsedBytes: 4e9, memoryTotalBytes: 16e9 };
  return {
    ...envelope(),
    type: 'backend.stats_reported',
    data: {
      backend: 'web-1',
      stats: {
        atMs: 1_767_225_600_000 + index,
        coresPercent: [10, 20, 30, 40, 50, 60, 70, 80],
        ...memory,
        diskUsedBytes: 1e9,
        diskTotalBytes: 9e9,
        gpus: [{ percent: 50, ...memory, temperatureC: 60, powerW: 250 }],
      },
    },
  };
}

const SAMPLES = {
  'backend.latency_measured': latency,
  'breaker.tripped': tripped,
  'gateway.observed': observed,
  'backend.stats_reported': stats,
};
