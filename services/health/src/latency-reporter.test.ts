import { expect, test } from 'vitest';
import { registered, settled } from './test-fleet.ts';
import { DOWN } from './test-prober.ts';
import { startProbing } from './test-start.ts';

test('latency is told when it has changed enough, and not often', async () => {
  const { fleet, prober, process } = await startProbing();
  prober.answers.set(1, 10);
  await fleet.write(registered('b1', 1));
  await settled();
  expect(process.facts).toEqual([
    { subject: 'usher.events.health.b1.latency', data: { backend: 'b1', latencyMs: 10 } },
  ]);
  prober.answers.set(1, 11);
  await fleet.pass(60_000);
  expect(process.facts).toHaveLength(1);
  prober.answers.set(1, 100);
  await fleet.pass(60_000);
  expect(process.facts.length).toBeGreaterThan(1);
  expect(process.facts.length).toBeLessThanOrEqual(7);
  prober.answers.set(1, DOWN);
  const before = process.facts.length;
  await fleet.pass(60_000);
  expect(process.facts).toHaveLength(before);
});

test('a full outbox loses no latency for good', async () => {
  const { fleet, prober, process } = await startProbing();
  process.outboxFull = true;
  prober.answers.set(1, 10);
  await fleet.write(registered('b1', 1));
  expect(process.facts).toEqual([]);
  process.outboxFull = false;
  await fleet.pass(6000);
  expect(process.facts).toHaveLength(1);
});
