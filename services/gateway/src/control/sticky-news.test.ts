import type { UsherEvent } from '@usher/events';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TestFleet } from '../testing/fleet.ts';
import { until } from '../testing/http.ts';
import { Facts } from './facts.ts';
import { StickyNews } from './sticky-news.ts';

let fleet: TestFleet;

beforeEach(() => {
  fleet = new TestFleet();
});
afterEach(() => fleet.close());

test('however many sessions leave a backend in a moment, one event tells it', async () => {
  const news = new StickyNews('gw-1', new Facts(fleet.context()));
  const move = { pool: 'web', from: 'b1', to: 'b2', reason: 'draining' } as const;
  for (let each = 0; each < 5000; each++) news.add({ ...move, session: `s${each}` });
  news.add({ ...move, session: 'other', from: 'b3', reason: 'full' });
  news.tell();
  news.tell();
  await until(() => fleet.seen('sticky.moved').length === 2, 'two events');
  const [many, one] = fleet.seen('sticky.moved').map(({ data }) => data);
  expect(many).toMatchObject({ pool: 'web', from: 'b1', reason: 'draining', count: 5000 });
  expect(many).toHaveProperty('sessions.length', 100);
  expect(one).toMatchObject({ from: 'b3', count: 1, sessions: [{ session: 'other', to: 'b2' }] });
  expect([...news.totals()]).toEqual([
    { pool: 'web', reason: 'draining', count: 5000 },
    { pool: 'web', reason: 'full', count: 1 },
  ]);
});

test('what the outbox has no room for is told with what comes next', () => {
  const offered: number[] = [];
  let room = false;
  const offer = (_subject: string, [event]: readonly UsherEvent[]) => {
    if (room && event?.type === 'sticky.moved') offered.push(event.data.count);
    return room;
  };
  const outbox = { offer, flush: async () => {}, pending: 0 };
  const news = new StickyNews('gw-1', new Facts(fleet.context({ outbox })));
  const move = { pool: 'web', from: 'b1', to: 'b2', reason: 'gone' } as const;
  news.add({ ...move, session: 'one' });
  news.tell();
  news.add({ ...move, session: 'two' });
  room = true;
  news.tell();
  news.tell();
  expect(offered).toEqual([2]);
});
