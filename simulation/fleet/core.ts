import type { FleetFold } from '@usher/actors';
import { createOutbox } from '@usher/event-log';
import type { Metrics, ServiceContext } from '@usher/ports';
import { seededRandom } from '@usher/testing';
import { restoreFold } from '../../cli/src/process/restore-fold.ts';
import { BusClient } from '../parts/bus.ts';
import { LogClient } from '../parts/log-client.ts';
import { LogLink } from '../parts/log-link.ts';
import { StoreClient } from '../parts/store-client.ts';
import type { Node } from '../world/network.ts';
import type { ProcessClock } from '../world/scope.ts';
import { processLog } from './process-log.ts';
import type { Surroundings } from './surroundings.ts';

/** As a process waits at its start, and at its end. */
const CATCH_UP_WAIT_MS = 3_000;
const FLUSH_WAIT_MS = 2_000;

const NO_METRICS: Metrics = { counter: () => {}, gauge: () => {}, histogram: () => {} };

/** One life of a process, and what is special about it. */
export interface Life {
  readonly node: Node;
  readonly clock: ProcessClock;
  /** Name and number of the life. */
  readonly name: string;
  readonly seed: number;
  /** How long it takes over each record of the log. */
  recordMs(): number;
}

/** The ports of a process and its fold of the log. */
export interface Core {
  readonly context: ServiceContext;
  readonly fold: FleetFold;
  close(): Promise<void>;
}

/** What a process does before it starts its services: it connects, folds what there is and follows the rest. */
export async function openCore(life: Life, around: Surroundings): Promise<Core> {
  const { world, network, logServer, storeServer, hub, tampering, findings } = around;
  const { node, clock, name } = life;
  const log = processLog(world, findings, name);
  const link = new LogLink(node, clock, network, logServer);
  await link.start();
  const client = new LogClient(link, name, () => life.recordMs());
  const events = tampering.events?.(client, node.name) ?? client;
  const store = new StoreClient(node, clock, network, storeServer);
  await store.start();
  const fold = await restoreFold(events, log);
  const tail = events.tail(fold.position, (record) => {
    if (tampering.fold === undefined) fold.apply(record);
    else tampering.fold(fold, record, node.name);
  });
  const late = Promise.withResolvers<void>();
  const timer = clock.after(CATCH_UP_WAIT_MS, late.resolve);
  await Promise.race([tail.caughtUp, late.promise]);
  timer.cancel();
  const outbox = createOutbox({ events, clock, log });
  const context: ServiceContext = {
    instance: node.name,
    owner: name,
    version: '0',
    fleet: fold,
    events,
    outbox: tampering.outbox?.(outbox) ?? outbox,
    bus: new BusClient(hub, link, clock),
    store,
    clock,
    random: seededRandom(life.seed),
    log,
    metrics: NO_METRICS,
  };
  world.note(name, `is at position ${fold.position}`);
  const close = async (): Promise<void> => {
    await outbox.flush(FLUSH_WAIT_MS).catch(() => {});
    outbox.close();
    await tail.stop();
    await store.close();
    await events.close();
  };
  return { context, fold, close };
}
