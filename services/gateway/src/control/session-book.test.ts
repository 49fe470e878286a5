import type { MessageBus } from '@usher/ports';
import { sessionIdOf } from '@usher/runtime';
import { SimulatedClock } from '@usher/testing';
import { beforeEach, expect, test } from 'vitest';
import { SessionBook } from './session-book.ts';
import { SessionGossip } from './session-gossip.ts';

const HOUR_MS = 3_600_000;
const nameOf = (user: number) => sessionIdOf('header', `user-${user}`);

let clock: SimulatedClock;
let hearers: ((subject: string, payload: string) => void)[];

beforeEach(() => {
  clock = new SimulatedClock();
  hearers = [];
});

const bus: MessageBus = {
  request: async () => '',
  serve: () => ({ stop: () => {} }),
  publish: (subject, payload) => {
    for (const hear of hearers) hear(subject, payload);
  },
  subscribe: (_subject, hear) => {
    hearers.push(hear);
    return { stop: () => (hearers = hearers.filter((each) => each !== hear)) };
  },
};

function gateway(name: string) {
  const book = new SessionBook(clock);
  const gossip = new SessionGossip(name, bus, book);
  gossip.start();
  return { book, gossip };
}

test('what one gateway learns the others hear, once', () => {
  const [one, two] = [gateway('gw-1'), gateway('gw-2')];
  const messages: string[] = [];
  bus.subscribe('>', (_subject, payload) => messages.push(payload));
  one.book.learn('web', nameOf(1), 'b1');
  one.book.learn('web', nameOf(1), 'b1');
  one.book.learn('api', nameOf(2), 'b2');
  one.gossip.tell();
  one.gossip.tell();
  two.gossip.tell();
  expect(messages).toHaveLength(2);
  expect(two.book.find('web', nameOf(1), HOUR_MS)).toBe('b1');
  expect(two.book.find('api', nameOf(2), HOUR_MS)).toBe('b2');
  expect(two.book.find('web', nameOf(2), HOUR_MS)).toBeUndefined();
  one.book.learn('web', nameOf(1), 'b3');
  one.gossip.tell();
  expect(two.book.find('web', nameOf(1), HOUR_MS)).toBe('b3');
});

test('what was not heard of for too long is not known any more', () => {
  const { book } = gateway('gw-1');
  book.learn('web', nameOf(1), 'b1');
  clock.advance(HOUR_MS - 1);
  expect(book.find('web', nameOf(1), HOUR_MS)).toBe('b1');
  clock.advance(1);
  expect(book.find('web', nameOf(1), HOUR_MS)).toBeUndefined();
});

test('however many clients come, one message of limited length tells of them', () => {
  const [one, two] = [gateway('gw-1'), gateway('gw-2')];
  const messages: string[] = [];
  bus.subscribe('>', (_subject, payload) => messages.push(payload));
  for (let user = 0; user < 5000; user++) one.book.learn('web', nameOf(user), 'b1');
  one.gossip.tell();
  expect(messages).toHaveLength(1);
  expect(messages[0]!.length).toBeLessThan(50_000);
  expect(two.book.find('web', nameOf(0), HOUR_MS)).toBe('b1');
  expect(two.book.find('web', nameOf(4999), HOUR_MS)).toBeUndefined();
  expect(one.book.find('web', nameOf(4999), HOUR_MS)).toBe('b1');
});

test('what no gateway says is not heard', () => {
  const { book } = gateway('gw-1');
  for (const payload of ['', '{', '[]', 'null', '{"pool":1,"sessions":[]}', '{"pool":"web","sessions":{}}'])
    bus.publish('usher.sticky.gw-2', payload);
  const sessions = [null, 1, [], [1, 'b1'], [nameOf(1)], ['', 'b1'], [nameOf(2), 'b2']];
  bus.publish('usher.sticky.gw-2', JSON.stringify({ pool: 'web', sessions }));
  expect(book.find('web', nameOf(1), HOUR_MS)).toBeUndefined();
  expect(book.find('web', nameOf(2), HOUR_MS)).toBe('b2');
});
