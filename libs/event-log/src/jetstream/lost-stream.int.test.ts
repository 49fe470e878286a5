import { cpSync, rmSync } from 'node:fs';
import { LogReplacedError } from '@usher/ports';
import {
  follow,
  latencyEvents,
  type NatsServer,
  RecordingLog,
  startNatsServer,
  tempDir,
  wallClock,
} from '@usher/testing';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { openJetStream } from './open.ts';

const SUBJECT = 'usher.events.scheduler.control';
const RECORDS = 5;
const WAIT = { timeout: 20_000 };

let server: NatsServer;
const closing: (() => Promise<void>)[] = [];

async function open() {
  const log = new RecordingLog();
  const opened = await openJetStream({ name: 'test', log, clock: wallClock, servers: [server.url] });
  closing.push(opened.close);
  const append = async (expected?: number) => {
    const expectation = expected === undefined ? {} : { expect: expected };
    return await opened.events.append({ subject: SUBJECT, events: latencyEvents(1), ...expectation });
  };
  return { ...opened, log, append };
}

beforeEach(async () => {
  server = await startNatsServer();
});

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  await server.stop();
});

it('writes nothing and reads nothing when the server has lost the stream, and says what to do', async () => {
  const running = await open();
  const { tail, records, seen } = follow(running.events);
  for (let index = 0; index < RECORDS; index++) await running.append();
  await seen(RECORDS);
  running.bus.serve('usher.commands.x', async () => 'answered');

  await server.kill9();
  rmSync(server.files, { recursive: true });
  await server.restart();
  await vi.waitFor(() => expect(running.events.status().fault).toContain('no stream'), WAIT);
  expect(running.events.status().connected).toBe(false);
  await expect(running.append()).rejects.toThrow(LogReplacedError);
  expect(await running.bus.request('usher.commands.x', '', 1000)).toBe('answered');

  // Somebody begins a new log, which grows beyond where the old one was.
  const other = await open();
  for (let index = 0; index < RECORDS * 2; index++) await other.append();
  await vi.waitFor(() => expect(running.events.status().fault).toContain('made anew'), WAIT);
  await expect(running.append(RECORDS)).rejects.toThrow(/restore the stream .* or restart/);
  await expect(running.events.lastOf(SUBJECT)).rejects.toThrow(LogReplacedError);
  expect(records).toHaveLength(RECORDS);
  expect(running.log.entries.filter(({ level }) => level === 'error')).toHaveLength(1);
  await tail.stop();

  const fresh = await open();
  expect(fresh.events.status()).toMatchObject({ connected: true });
  expect((await fresh.append()).position).toBe(RECORDS * 2 + 1);
}, 60_000);

it('goes on by itself when the stream that was lost is put back', async () => {
  const backup = tempDir();
  const running = await open();
  const { records, seen } = follow(running.events);
  for (let index = 0; index < RECORDS; index++) await running.append();
  await seen(RECORDS);
  await server.kill9();
  cpSync(server.files, backup.path, { recursive: true });
  rmSync(server.files, { recursive: true });
  await server.restart();
  await vi.waitFor(() => expect(running.events.status().fault).toBeDefined(), WAIT);
  await server.kill9();
  cpSync(backup.path, server.files, { recursive: true });
  await server.restart();
  await vi.waitFor(() => expect(running.events.status()).toMatchObject({ connected: true }), WAIT);
  expect(running.events.status().fault).toBeUndefined();
  await running.append(RECORDS);
  await seen(RECORDS + 1);
  expect(records.at(-1)?.position).toBe(RECORDS + 1);
  backup.remove();
}, 60_000);
