import { SimulatedClock, testStateStore } from '@usher/testing';
import { expect, test } from 'vitest';
import { openEmbeddedStore } from './embedded-store.ts';

testStateStore('embedded', async () => {
  const clock = new SimulatedClock();
  const store = openEmbeddedStore({ clock });
  return {
    store,
    pass: async () => clock.advance(5),
    stop: () => store.close(),
  };
});

test('leaves no timer behind when it is closed', async () => {
  const clock = new SimulatedClock();
  const store = openEmbeddedStore({ clock });
  await store.set('k', 'v', 1_000);
  await store.close();
  expect(clock.timers).toBe(0);
});
