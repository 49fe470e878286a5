import { expect, test } from 'vitest';
import { registered, settled } from './test-fleet.ts';
import { DOWN } from './test-prober.ts';
import { startProbing } from './test-start.ts';

const SAID = { subject: 'usher.events.health.b1.probes', data: { backend: 'b1' } };

async function withOpenBreaker() {
  const started = await startProbing();
  await started.fleet.write(registered('b1', 1));
  await started.fleet.write({
    type: 'breaker.opened',
    subject: 'b1',
    data: { backend: 'b1', untilMs: started.fleet.clock.now() + 600_000, votes: ['gw-1'] },
  });
  await settled();
  const said = () => started.process.facts.filter(({ subject }) => subject === SAID.subject);
  return { ...started, said };
}

test('a backend whose breaker is open and which answers its probes is told about once', async () => {
  const { fleet, said } = await withOpenBreaker();
  await fleet.pass(60_000);
  expect(said()).toEqual([SAID]);
});

test('one that does not answer is not, until it does as often in a row as the pool says', async () => {
  const { fleet, prober, said } = await withOpenBreaker();
  prober.answers.set(1, DOWN);
  await fleet.pass(60_000);
  expect(said()).toEqual([]);
  prober.answers.set(1, 1);
  await fleet.pass(60_000);
  expect(said()).toEqual([SAID]);
});

test('a breaker that closed needs no such hint, and one that opens again gets its own', async () => {
  const { fleet, prober, said } = await withOpenBreaker();
  prober.answers.set(1, DOWN);
  await fleet.write({ type: 'breaker.half_opened', subject: 'b1', data: { backend: 'b1' } });
  prober.answers.set(1, 1);
  await fleet.pass(60_000);
  expect(said()).toEqual([]);
  const untilMs = fleet.clock.now() + 600_000;
  await fleet.write({
    type: 'breaker.opened',
    subject: 'b1',
    data: { backend: 'b1', untilMs, votes: ['gw-1'] },
  });
  await fleet.pass(60_000);
  expect(said()).toEqual([SAID]);
});

test('a full outbox only puts it off', async () => {
  const { fleet, process, said } = await withOpenBreaker();
  process.outboxFull = true;
  await fleet.pass(60_000);
  process.outboxFull = false;
  await fleet.pass(60_000);
  expect(said()).toEqual([SAID]);
});
