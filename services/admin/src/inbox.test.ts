import { expect, test } from 'vitest';
import { Inbox } from './inbox.ts';

const line = (position: number, chars: number) => ({ text: 'x'.repeat(chars), position });

test('what waits is bounded, and what was taken has no gaps', () => {
  const inbox = new Inbox(10);
  inbox.offer(line(1, 6));
  inbox.offer(line(2, 6));
  inbox.offer(line(3, 1));
  expect(inbox.overflowed).toBe(true);
  expect(inbox.take().map(({ position }) => position)).toEqual([1]);
  inbox.offer(line(4, 1));
  expect(inbox.take()).toEqual([]);
});

test('a reader that keeps up has the whole room again', () => {
  const inbox = new Inbox(10);
  for (let position = 1; position <= 5; position++) {
    inbox.offer(line(position, 8));
    expect(inbox.take()).toHaveLength(1);
  }
  expect(inbox.overflowed).toBe(false);
});

test('waiting ends with the next line, when woken, and at once when there is something', async () => {
  const inbox = new Inbox(10);
  const first = inbox.news();
  inbox.offer(line(1, 1));
  await first;
  await inbox.news();
  inbox.take();
  const second = inbox.news();
  inbox.wake();
  await second;
});
