import type { FleetFold } from '@usher/actors';
import { type LocalSettings } from '@usher/config';
import { createOutbox, type OpenLog, openEmbedded, openJetStream } from '@usher/event-log';
import type { Clock, EventLog, Service, ServiceContext, StateStore, Tail } from '@usher/ports';
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
import { Closing } from './closing.ts';
import { type Give, HeirOutbox } from './heir-outbox.ts';
import { restoreFold } from './restore-fold.ts';

/** How long a process waits for the log at its start before it goes on with what it has. */
const CATCH_UP_WAIT_MS = 3_000;
const FLUSH_WAIT_MS = 2_000;

/** The ports of a running process and what closes them. */
export interface Core {
  readonly context: ServiceContext;
  readonly fold: FleetFold;
  readonly metrics: MetricsRegistry;
  readonly log: ProcessLog;
  readonly watch: Pick<Service, 'name' | 'fault'>;
  /**
   * Closes the log and all that depends on it, for another process to open it. What the services that go on have to tell waits
   * for `endow`.
   */
  releaseLog(): Promise<void>;
  /** From now on `give` takes the facts of a core that has released its log. */
  endow(give: Give): void;
  close(): Promise<void>;
}

/** Builds every adapter that the settings ask for and the process's one fold of the log. What a failure leaves open is closed. */
export async function openCore(local: LocalSettings): Promise<Core> {
  const clock = systemClock();
  const log = createLog({ ...local.logging, clock });
  const closing = { log: new Closing(), store: new Closing() };
  const close = async () => {
    await closing.log.run(log);
    await closing.store.run(log);
    log.close();
  };
  try {
    const { outbox, ...core } = await open(local, log, clock, closing);
    const releaseLog = async () => {
      outbox.disown();
      await closing.log.run(log);
    };
    return { ...core, releaseLog, endow: (give) => outbox.endow(give), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function open(
  local: LocalSettings,
  log: ProcessLog,
  clock: Clock,
  closing: { readonly log: Closing; readonly store: Closing },
): Promise<Omit<Core, 'close' | 'releaseLog' | 'endow'> & { readonly outbox: HeirOutbox }> {
  const metrics = createMetrics();
  const opened = await openLog(local, log, clock);
  const random = systemRandom();
  const owner = `${local.name}#${random.uuid()}`;
  closing.log.add('the event log', () => opened.close());
  const store = await openStore(local, owner, log, clock);
  closing.store.add('the state store', () => store.close());
  const fold = await restoreFold(opened.events, log);
  const tail = await follow(opened.events, fold, log);
  closing.log.add('the fold of the event log', () => tail.stop());
  const own = createOutbox({ events: opened.events, clock, log });
  closing.log.add('the outbox', async () => {
    await own.flush(FLUSH_WAIT_MS).catch((error: unknown) => {
      log.warn('facts were left unwritten', { pending: own.pending, cause: (error as Error).message });
    });
    own.close();
  });
  const outbox = new HeirOutbox(own);
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
  return { context, fold, metrics, log, outbox, watch: watchLog(opened.events) };
}

async function openLog({ bus, data, name }: LocalSettings, log: ProcessLog, clock: Clock): Promise<OpenLog> {
  if (bus.type === 'embedded') return await openEmbedded({ dir: data, log, clock });
  const { servers, credentials, ca } = bus;
  return await openJetStream({ servers, credentials, ca, name, log, clock });
}

async function openStore(
  { bus, store }: LocalSettings,
  owner: string,
  log: ProcessLog,
  clock: Clock,
): Promise<StateStore> {
  if (store.type === 'embedded') return openEmbeddedStore({ clock });
  // A log of its own has a leader of its own, whoever else is on the Redis server.
  const realm = bus.type === 'embedded' ? { leaseRealm: owner } : {};
  return await openRedisStore({ url: store.url, clock, log, ...realm });
}

/** Folds what came after the fold's position, then follows. Without the log it catches up later. */
async function follow(events: EventLog, fold: FleetFold, log: ProcessLog): Promise<Tail> {
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
  return tail;
}

/** The event log as a service among others: what is wrong with it shows in the process's health. */
function watchLog(events: EventLog): Pick<Service, 'name' | 'fault'> {
  return { name: 'event-log', fault: () => events.status().fault };
}

const one = (value: number) => [{ labels: {}, value }];

function exposeLog({ metrics, events, fleet, outbox, store }: ServiceContext): void {
  metrics.gauge('usher_log_position', 'Position of the last record folded', () => one(fleet.position));
  metrics.gauge('usher_log_connected', 'Whether the event log can be reached', () =>
    one(Number(events.status().connected)),
  );
  metrics.gauge(
    'usher_log_whole',
    'Whether the event log is the one that was read, with all its records',
    () => one(Number(events.status().fault === undefined)),
  );
  metrics.gauge('usher_store_connected', 'Whether the state store can be reached', () =>
    one(Number(store.status().connected)),
  );
  metrics.gauge('usher_outbox_pending', 'Facts taken and not yet durable', () => one(outbox.pending));
}
