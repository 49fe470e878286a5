import { jetstreamManager } from '@nats-io/jetstream';
import {
  follow,
  idsOf,
  latencyEvents,
  type NatsServer,
  RecordingLog,
  startNatsCluster,
  wallClock,
} from '@usher/testing';
import { connect } from 'nats';
import { afterEach, expect, it, vi } from 'vitest';
import type { OpenLog } from '../open-log.ts';
import { createOutbox } from '../outbox.ts';
import { openJetStream } from './open.ts';
import { EVENTS_STREAM } from './streams.ts';

const LIMIT_MS = 30_000;

let servers: readonly NatsServer[] = [];
let opened: OpenLog[] = [];

afterEach(async () => {
  for (const { close } of opened) await close();
  for (const server of servers) await server.stop();
  opened = [];
  servers = [];
});

async function open(name: string, log = new RecordingLog()): Promise<OpenLog> {
  const one = await openJetStream({ servers: servers.map(({ url }) => url), name, log, clock: wallClock });
  opened.push(one);
  return one;
}

/** Waits until every server has all of the log: a cluster of three bears the loss of one. */
async function whole(): Promise<void> {
  const connection = await connect({ servers: servers.map(({ url }) => url) });
  const manager = await jetstreamManager(connection, { checkAPI: false });
  await vi.waitFor(async () => {
    const { cluster } = await manager.streams.info(EVENTS_STREAM);
    const good = cluster?.replicas?.filter(({ current, offline }) => current && !offline);
    expect(good).toHaveLength(servers.length - 1);
  }, LIMIT_MS);
  await connection.close();
}

it('goes on in a cluster of three when one server after the other is killed, and each event is there once', async () => {
  servers = await startNatsCluster();
  const writer = await open('writer');
  const reader = await open('reader');
  const followed = follow(reader.events);
  const outbox = createOutbox({ events: writer.events, clock: wallClock, log: new RecordingLog() });
  const offered: string[] = [];
  for (const [place, server] of servers.slice(0, 2).entries()) {
    const events = latencyEvents(20, 100 * place);
    await whole();
    await server.kill9();
    offered.push(...events.map(({ id }) => id));
    expect(outbox.offer('usher.events.gateway.gw-1', events)).toBe(true);
    // While it is away.
    await outbox.flush(LIMIT_MS);
    await vi.waitFor(() => expect(idsOf(followed.records)).toHaveLength(offered.length), LIMIT_MS);
    await server.restart();
  }
  expect(idsOf(followed.records)).toEqual(offered);
});

it('says what is missing where a cluster has too few servers to keep the log', async () => {
  servers = await startNatsCluster(2);
  const log = new RecordingLog();
  const { events } = await open('writer', log);
  const refused = (): unknown =>
    log.entries.find(({ fields }) =>
      /with 3 copies/.test((fields['error'] as Error | undefined)?.message ?? ''),
    );
  await vi.waitFor(() => expect(refused()).toBeDefined(), LIMIT_MS);
  expect(events.status().connected).toBe(false);
});
