import { FleetFold } from '@usher/actors';
import { type LocalSettings } from '@usher/config';
import { createOutbox, type OpenLog, openEmbedded, openJetStream } from '@usher/event-log';
import type { EventLog, ServiceContext, StateStore, Tail } from '@usher/ports';
import {
  createLog,
  createMetrics,
  type MetricsRegistry,
  type ProcessLog,
  systemClock,
  systemRandom,
} from '@usher/runtime';
import { openEmbeddedStore, openRedisStore } from '@usher/state-store';
import { VERSION } from '../version.ts';

/** How long a process waits for the log at its start before it goes on with what it has. */
const CATCH_UP_WAIT_MS = 3_000;
const FLUSH_WAIT_MS = 2_000;

/** The ports of a running process and what closes them. */
export interface Core {
  readonly context: ServiceContext;
  readonly fold: FleetFold;
  readonly metrics: MetricsRegistry;
  readonly log: ProcessLog;
  close(): Promise<void>;
}

/** Builds every adapter that the settings ask for and the process's one fold of the log. */
export async function openCore(local: LocalSettings): Promise<Core> {
  const clock = systemClock();
  const random = systemRandom();
  const log = createLog({ ...local.logging, clock });
  const metrics = createMetrics();
  const opened = await openLog(local, log, clock);
  const owner = `${local.name}#${random.uuid()}`;
  const store = await openStore(local, owner, log, clock);
  const outbox = createOutbox({ events: opened.events, clock, log });
  const { fold, tail } = await follow(opened.events, log);
  const context: ServiceContext = {
    instance: local.name,
    owner,
    version: VERSION,
    fleet: fold,
    events: opened.events,
    outbox,
    bus: opened.bus,
    store,
    clock,
    random,
    log,
    metrics,
  };
  exposeLog(context);
  const close = async () => {
    await outbox.flush(FLUSH_WAIT_MS).catch((error: unknown) => {
      log.warn('facts were left unwritten', { pending: outbox.pending, cause: (error as Error).message });
    });
    outbox.close();
    await tail.stop();
    await store.close();
    await opened.close();
    log.close();
  };
  return { context, fold, metrics, log, close };
}

async function openLog(
  { bus, data, name }: LocalSettings,
  log: ProcessLog,
  clock: ServiceContext['clock'],
): Promise<OpenLog> {
  if (bus.type === 'embedded') return await openEmbedded({ dir: data, log, clock });
  return await openJetStream({ servers: bus.servers, credentials: bus.credentials, name, log, clock });
}

async function openStore(
  { bus, store }: LocalSettings,
  owner: string,
  log: ProcessLog,
  clock: ServiceContext['clock'],
): Promise<StateStore> {
  if (store.type === 'embedded') return openEmbeddedStore({ clock });
  // A log of its own has a leader of its own, whoever else is on the Redis server.
  const realm = bus.type === 'embedded' ? { leaseRealm: owner } : {};
  return await openRedisStore({ url: store.url, clock, log, ...realm });
}

/** Folds the newest snapshot and all that came after it, then follows. Without the log it starts empty and catches up later. */
async function follow(events: EventLog, log: ProcessLog): Promise<{ fold: FleetFold; tail: Tail }> {
  const snapshot = await events.loadSnapshot().catch(() => undefined);
  const fold = (snapshot === undefined ? undefined : FleetFold.restore(snapshot)) ?? new FleetFold();
  const tail = events.tail(fold.position, (record) => {
    for (const { cause } of record.quarantined)
      log.warn('event set aside', { position: record.position, cause });
    fold.apply(record);
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), CATCH_UP_WAIT_MS);
  });
  const outcome = await Promise.race([tail.caughtUp, late]);
  clearTimeout(timer);
  if (outcome === 'late') log.warn('the event log does not answer yet; starting with what is known');
  return { fold, tail };
}

const one = (value: number) => [{ labels: {}, value }];

function exposeLog({ metrics, events, fleet, outbox, store }: ServiceContext): void {
  metrics.gauge('usher_log_position', 'Position of the last record folded', () => one(fleet.position));
  metrics.gauge('usher_log_connected', 'Whether the event log can be reached', () =>
    one(Number(events.status().connected)),
  );
  metrics.gauge('usher_store_connected', 'Whether the state store can be reached', () =>
    one(Number(store.status().connected)),
  );
  metrics.gauge('usher_outbox_pending', 'Facts taken and not yet durable', () => one(outbox.pending));
}
