import { reservationStorm, SimulatedClock } from '@usher/testing';
import { expect, test } from 'vitest';
import { openEmbeddedStore } from './embedded-store.ts';

test('200,000 random operations with dying gateways keep every sum exact and leave nothing behind', async () => {
  const clock = new SimulatedClock();
  const store = openEmbeddedStore({ clock });
  const { reserved, givenBack, checks, deaths } = await reservationStorm({
    reservations: [store.reservations],
    operations: 200_000,
    seed: 7,
    pass: async () => clock.advance(1),
  });
  expect(givenBack).toBe(reserved);
  expect(reserved).toBeGreaterThan(10_000);
  expect(checks).toBeGreaterThan(800);
  expect(deaths).toBeGreaterThan(50);
  await store.close();
});
