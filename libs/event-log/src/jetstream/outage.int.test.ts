import { jetstreamManager } from '@nats-io/jetstream';
import { type EventLog, LogUnavailableError } from '@usher/ports';
import {
  follow,
  idsOf,
  latencyEvents,
  type NatsServer,
  RecordingLog,
  recordsOf,
  startNatsServer,
  wallClock,
} from '@usher/testing';
import { connect, nanos } from 'nats';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RecordTooLargeError } from '../draft.ts';
import type { OpenLog } from '../open-log.ts';
import { createOutbox } from '../outbox.ts';
import { openJetStream } from './open.ts';

const SUBJECT = 'usher.events.gateway.gw-1';
const KILLS = 6;

let server: NatsServer;
let opened: OpenLog[];
let log: RecordingLog;

beforeEach(async () => {
  server = await startNatsServer();
  opened = [];
  log = new RecordingLog();
});

afterEach(async () => {
  for (const { close } of opened) await close();
  await server.stop();
});

async function open(name = 'test'): Promise<OpenLog> {
  const one = await openJetStream({ servers: [server.url], name, log, clock: wallClock });
  opened.push(one);
  return one;
}

/** Resolves when the log is, or has become, connected or disconnected. */
function statusIs(events: EventLog, connected: boolean): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  events.onStatus((status) => {
    if (status.connected === connected) resolve();
  });
  if (events.status().connected === connected) resolve();
  return promise;
}

describe('JetStream log in an outage', () => {
  it('loses nothing, doubles nothing and keeps the order while the server is killed again and again', async () => {
    const writer = await open('writer');
    const reader = await open('reader');
    const followed = follow(reader.events);
    const outbox = createOutbox({ events: writer.events, clock: wallClock, log });
    const offered: string[] = [];
    for (let round = 0; round < KILLS; round++) {
      const offering = wallClock.every(1, () => {
        const events = latencyEvents(7, offered.length);
        if (outbox.offer(SUBJECT, events)) offered.push(...events.map(({ id }) => id));
      });
      const goal = followed.records.length + 30;
      await followed.seen(goal);
      await server.kill9();
      await statusIs(reader.events, false);
      await statusIs(writer.events, false);
      await server.restart();
      await statusIs(writer.events, true);
      offering.cancel();
    }
    await outbox.flush(10_000);
    const stored = await recordsOf(writer.events);
    expect(idsOf(stored)).toEqual(offered);
    await followed.seen(stored.length);
    expect(followed.records).toEqual(stored);
    expect(outbox.pending).toBe(0);
  });

  it('refuses appends at once while the server is down, and keeps none of them', async () => {
    const { events } = await open();
    await server.kill9();
    await statusIs(events, false);
    const clockStopped = { ...wallClock, after: () => ({ cancel() {} }) };
    expect(clockStopped.now()).toBeGreaterThan(0);
    const refused = await Promise.allSettled(
      Array.from({ length: 10 }, () => events.append({ subject: SUBJECT, events: latencyEvents(1) })),
    );
    for (const outcome of refused) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(LogUnavailableError) });
    }
    expect(events.status().connected).toBe(false);
    await server.restart();
    await statusIs(events, true);
    await events.append({ subject: SUBJECT, events: latencyEvents(1) });
    expect(await events.head()).toBe(1);
  });

  it('rejects an append that is under way when the server dies', async () => {
    const { events } = await open();
    await events.append({ subject: SUBJECT, events: latencyEvents(1) });
    server.freeze();
    const underWay = events.append({ subject: SUBJECT, events: latencyEvents(1) });
    const outcome = expect(underWay).rejects.toThrow('connection to NATS was lost');
    await server.kill9();
    await outcome;
  });

  it('waits out a frozen server without losing or doubling', async () => {
    const { events } = await open();
    const followed = follow(events);
    const outbox = createOutbox({ events, clock: wallClock, log });
    const sent = latencyEvents(500);
    outbox.offer(SUBJECT, sent.slice(0, 250));
    await followed.seen(1);
    server.freeze();
    outbox.offer(SUBJECT, sent.slice(250));
    await expect(outbox.flush(300)).rejects.toThrow(LogUnavailableError);
    server.thaw();
    await outbox.flush(10_000);
    expect(idsOf(await recordsOf(events))).toEqual(sent.map(({ id }) => id));
    await followed.seen(await events.head());
    expect(idsOf(followed.records)).toEqual(sent.map(({ id }) => id));
  });

  it('goes on tailing behind what was stored while it was cut off', async () => {
    const reader = await open('reader');
    const followed = follow(reader.events);
    const writer = await open('writer');
    await writer.events.append({ subject: SUBJECT, events: latencyEvents(1) });
    await followed.seen(1);
    await server.kill9();
    await server.restart();
    await statusIs(writer.events, true);
    for (let index = 0; index < 20; index++) {
      await writer.events.append({ subject: SUBJECT, events: latencyEvents(1) });
    }
    await followed.seen(21);
    expect(followed.records.map(({ position }) => position)).toEqual(
      Array.from({ length: 21 }, (_, i) => i + 1),
    );
  });

  it('starts without a server, says so, and connects when there is one', async () => {
    await server.kill9();
    const { events } = await open();
    expect(events.status().connected).toBe(false);
    expect(log.entries).toMatchObject([{ level: 'warn', message: expect.stringContaining('trying') }]);
    const followed = follow(events);
    await expect(events.append({ subject: SUBJECT, events: latencyEvents(1) })).rejects.toThrow(
      LogUnavailableError,
    );
    await server.restart();
    await statusIs(events, true);
    await events.append({ subject: SUBJECT, events: latencyEvents(1) });
    await followed.seen(1);
  });

  it('can be closed while there is no server', async () => {
    await server.kill9();
    const { events, close } = await open();
    await close();
    await expect(events.head()).rejects.toThrow('closed');
  });
});

describe('JetStream log', () => {
  it('knows a conditional append again when the server has forgotten its id', async () => {
    const connection = await connect({ servers: server.url });
    const manager = await jetstreamManager(connection);
    const windowMs = 100;
    await manager.streams.add({
      name: 'USHER_EVENTS',
      subjects: ['usher.events.>'],
      duplicate_window: nanos(windowMs),
    });
    const { events } = await open();
    const draft = { subject: SUBJECT, events: latencyEvents(1), expect: 0 };
    const { position } = await events.append(draft);
    const { promise, resolve } = Promise.withResolvers<void>();
    wallClock.after(3 * windowMs, resolve);
    await promise;
    expect(await events.append(draft)).toEqual({ position, duplicate: true });
    await events.append({ subject: SUBJECT, events: latencyEvents(1), expect: position });
    expect(await events.append(draft)).toEqual({ position, duplicate: true });
    expect(await recordsOf(events)).toHaveLength(2);
    await connection.close();
  });

  it('says what is unsafe about a stream that somebody else made', async () => {
    const connection = await connect({ servers: server.url });
    const manager = await jetstreamManager(connection);
    await manager.streams.add({
      name: 'USHER_EVENTS',
      subjects: ['usher.events.>'],
      storage: 'memory',
      max_age: nanos(60_000),
    });
    await connection.close();
    await open();
    const weaknesses = log.entries.map(({ fields }) => fields['weakness']).filter((weakness) => weakness);
    expect(weaknesses).toContain('it is in memory and ends with the server');
    expect(weaknesses).toContain('it forgets events by age');
    expect(weaknesses).toContain('events can be deleted from it');
  });

  it('keeps others from deleting events from the stream that it made', async () => {
    const { events } = await open();
    await events.append({ subject: SUBJECT, events: latencyEvents(1) });
    const connection = await connect({ servers: server.url });
    const manager = await jetstreamManager(connection);
    await expect(manager.streams.deleteMessage('USHER_EVENTS', 1)).rejects.toThrow();
    await expect(manager.streams.purge('USHER_EVENTS')).rejects.toThrow();
    await connection.close();
    expect(log.entries.map(({ level }) => level)).toEqual(['info']);
  });

  it('refuses a record that the server would not take, and says how large it may be', async () => {
    const { events } = await open();
    const giant = latencyEvents(1).map((event) => ({ ...event, reason: 'x'.repeat(1_100_000) }));
    await expect(events.append({ subject: SUBJECT, events: giant })).rejects.toThrow(RecordTooLargeError);
    expect(await events.head()).toBe(0);
    expect(events.status().connected).toBe(true);
  });
});
