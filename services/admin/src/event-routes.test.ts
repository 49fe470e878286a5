import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import type { EventDraft } from '@usher/events';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { smallFleet, TestAdmin, VIEW } from './test-admin.ts';

interface Line {
  readonly position: number;
  readonly subject: string;
  readonly events: readonly { readonly type: string }[];
  readonly quarantined?: unknown;
  readonly error?: { readonly code: string; readonly detail: string };
}

let admin: TestAdmin;
beforeEach(() => {
  admin = new TestAdmin();
});

const parse = (text: string) =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
const eventually = <T>(look: () => T) => expect.poll(look, { timeout: 5000 });
const read = async (query = '') => parse((await admin.get(`/v1/events${query}`)).body);
const positions = (lines: readonly Line[]) => lines.map(({ position }) => position);

function disabled(id = 'b1'): EventDraft {
  return { type: 'backend.disabled', subject: id, data: { backend: id } };
}

async function fill(records: number): Promise<void> {
  for (let i = 0; i < records; i++) await admin.write(disabled());
}

async function listen(): Promise<number> {
  if (!admin.app.server.listening) {
    await admin.app.listen({ host: '127.0.0.1', port: 0 });
    onTestFinished(() => admin.app.close());
  }
  return (admin.app.server.address() as AddressInfo).port;
}

/** Follows over a real connection. */
async function follow(query = '') {
  const port = await listen();
  const leave = new AbortController();
  const url = `http://127.0.0.1:${port}/v1/events?follow=true${query}`;
  const response = await fetch(url, { headers: VIEW, signal: leave.signal });
  const lines: Line[] = [];
  const done = (async () => {
    let rest = '';
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      const text = rest + chunk;
      const end = text.lastIndexOf('\n') + 1;
      lines.push(...parse(text.slice(0, end)));
      rest = text.slice(end);
    }
  })().catch(() => {});
  return { response, lines, done, leave: () => leave.abort() };
}

test('the log comes as lines of JSON, whole and in order', async () => {
  await admin.write(...smallFleet());
  await fill(500);
  const answer = await admin.get('/v1/events');
  expect(answer.headers['content-type']).toBe('application/x-ndjson');
  const lines = parse(answer.body);
  expect(positions(lines)).toEqual(Array.from({ length: 501 }, (_, index) => index + 1));
  expect(lines[0]?.events.map(({ type }) => type)).toEqual(smallFleet().map(({ type }) => type));
  expect(lines[0]).not.toHaveProperty('quarantined');
});

test('a part is asked for by position and number', async () => {
  await fill(500);
  expect(positions(await read('?after=3&limit=2'))).toEqual([4, 5]);
  expect(await read('?after=198&limit=4').then(positions)).toEqual([199, 200, 201, 202]);
  expect(await read('?after=500')).toEqual([]);
  expect(await read('?after=9999')).toEqual([]);
  expect(await read('?limit=0')).toEqual([]);
});

test('what could not be read is shown with its cause', async () => {
  admin.storage.store('usher.events.odd', '[{"specversion":"1.0"}]');
  expect((await read())[0]).toMatchObject({
    position: 1,
    events: [],
    quarantined: [{ index: 0, cause: 'attribute id is missing' }],
  });
});

test.each([
  '?after=-1',
  '?after=1.5',
  '?after=',
  '?limit=many',
  '?follow=maybe',
  '?after=99999999999999999999',
])('bad input is refused: %s', async (query) => {
  expect((await admin.get(`/v1/events${query}`)).json()).toMatchObject({ code: 'invalid_input' });
});

test('a log that is away is a problem', async () => {
  admin.events.setConnected(false);
  const answer = await admin.get('/v1/events');
  expect(answer.statusCode).toBe(503);
  expect(answer.json()).toMatchObject({ code: 'log_unavailable' });
});

test('a log that goes away on the way ends the stream with where to go on', async () => {
  await fill(300);
  const replay = admin.events.replay.bind(admin.events);
  admin.events.replay = async (after, apply, until) => {
    if (after > 0) admin.events.setConnected(false);
    return replay(after, apply, until);
  };
  const lines = await read();
  expect(lines).toHaveLength(201);
  expect(lines.at(-1)?.error).toMatchObject({ code: 'log_unavailable', detail: 'Go on after position 200' });
});

test('a follower gets what is appended from now on', async () => {
  await fill(3);
  const { lines, leave } = await follow();
  await fill(2);
  await eventually(() => positions(lines)).toEqual([4, 5]);
  leave();
});

test('a follower may begin in the past, and nothing is missing where past and present meet', async () => {
  await fill(450);
  const { lines, leave } = await follow('&after=10');
  await fill(50);
  await eventually(() => lines.length).toBe(490);
  expect(positions(lines)).toEqual(Array.from({ length: 490 }, (_, index) => index + 11));
  leave();
});

test('what is appended while the past is read is read in pages too, and does not wait in memory', async () => {
  await fill(300);
  const replay = admin.events.replay.bind(admin.events);
  const tail = admin.events.tail.bind(admin.events);
  let late = 500;
  admin.events.replay = async (after, apply, until) => {
    const end = await replay(after, apply, until);
    for (; late > 0; late--) await admin.write(disabled());
    return end;
  };
  let tailedAfter = -1;
  admin.events.tail = (after, apply) => {
    tailedAfter = after;
    return tail(after, apply);
  };
  const { lines, leave } = await follow('&after=0');
  await eventually(() => lines.length).toBe(800);
  expect(tailedAfter).toBe(800);
  leave();
});

test('following ends after as many records as were asked for', async () => {
  const { lines, done } = await follow('&limit=2');
  await fill(5);
  await done;
  expect(positions(lines)).toEqual([1, 2]);
});

test('when a follower leaves, the log is followed no more', async () => {
  const before = admin.storage.watchers.size;
  const { leave } = await follow();
  await eventually(() => admin.storage.watchers.size).toBe(before + 1);
  leave();
  await eventually(() => admin.storage.watchers.size).toBe(before);
});

test('there is room for so many followers; when one leaves, another may come', async () => {
  await listen();
  const followers = await Promise.all(Array.from({ length: 32 }, () => follow()));
  const refused = await follow();
  expect(refused.response.status).toBe(503);
  followers[0]?.leave();
  await eventually(async () => {
    const next = await follow();
    next.leave();
    return next.response.status;
  }).toBe(200);
  for (const { leave } of followers) leave();
});

test('a follower that stands still is cut off, and told so by the last line when it reads on', async () => {
  const { socket } = await stall();
  const expected = await writeUntilCut();
  let text = '';
  socket.on('data', (chunk) => {
    text += String(chunk);
  });
  socket.resume();
  await once(socket, 'close');
  const lines = parse(text.slice(text.indexOf('\r\n\r\n') + 4));
  const last = lines.pop();
  expect(last?.error).toMatchObject({
    code: 'overloaded',
    detail: `Too slow to follow; go on after position ${lines.length}`,
  });
  expect(positions(lines)).toEqual(expected.slice(0, lines.length));
  await eventually(() => admin.clock.timers).toBe(0);
});

test('a follower that never reads on is hung up on', async () => {
  const { watchers } = await stall();
  await writeUntilCut();
  admin.clock.advance(10_000);
  await eventually(() => admin.storage.watchers.size).toBe(watchers);
  expect(admin.clock.timers).toBe(0);
});

/** A follower that reads nothing. */
async function stall() {
  const watchers = admin.storage.watchers.size;
  const socket = connect(await listen(), '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  socket.pause();
  socket.write(`GET /v1/events?follow=true HTTP/1.0\r\nauthorization: ${VIEW.authorization}\r\n\r\n`);
  await eventually(() => admin.storage.watchers.size).toBe(watchers + 1);
  return { socket, watchers };
}

/** Appends large records until the server has given up on whoever follows, which sets a timer. Answers with their positions. */
async function writeUntilCut(): Promise<number[]> {
  const cause = 'x'.repeat(500);
  const batch = Array.from({ length: 200 }, () => ({
    type: 'backend.became_healthy' as const,
    subject: 'b1',
    data: { backend: 'b1', cause },
  }));
  const positions: number[] = [];
  while (positions.length < 400 && admin.clock.timers === 0) {
    positions.push(await admin.write(...batch));
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(admin.clock.timers).toBe(1);
  return positions;
}
