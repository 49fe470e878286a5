import { expect, it } from 'vitest';
import { StreamIdentity } from './stream-identity.ts';

const upTo = (position: number) => ({ state: { last_seq: position } });

/** A stream whose record at each position has this id. */
const holding = (id: string | undefined) => async (): Promise<string | undefined> => id;

it('knows a stream again by the last record that was read', async () => {
  const identity = new StreamIdentity();
  identity.meet(7, 'seventh');
  expect(await identity.faultOf(upTo(9), 7, holding('seventh'))).toBeUndefined();
});

it('takes any stream for the right one while nothing was read, two that are made one after the other too', async () => {
  const identity = new StreamIdentity();
  expect(await identity.faultOf(upTo(0), 0, holding(undefined))).toBeUndefined();
  expect(await identity.faultOf(upTo(2), 0, holding('second'))).toBeUndefined();
  expect(identity.known).toBe(true);
});

it('takes a stream with another record at the last position read for another stream', async () => {
  const identity = new StreamIdentity();
  identity.meet(7, 'seventh');
  identity.meet(3, 'third');
  expect(await identity.faultOf(upTo(9), 7, holding('another'))).toMatch(/made anew.* position 7 /);
});

it('takes a stream that ends before what was seen for one that has lost records', async () => {
  const identity = new StreamIdentity();
  identity.reach(8);
  expect(await identity.faultOf(upTo(7), 8, holding(undefined))).toMatch(
    /ends at position 7.* seen position 8/,
  );
});

it('leaves a record that was deleted to whoever tells losses', async () => {
  const identity = new StreamIdentity();
  identity.meet(7, 'seventh');
  expect(await identity.faultOf(upTo(9), 7, holding(undefined))).toBeUndefined();
});
