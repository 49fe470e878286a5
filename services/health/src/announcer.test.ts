import { LogUnavailableError } from '@usher/ports';
import { expect, test } from 'vitest';
import { registered, settled } from './test-fleet.ts';
import { DOWN } from './test-prober.ts';
import { startProbing } from './test-start.ts';

test('while the log is away the last state is kept, and written once when it returns', async () => {
  const { fleet, health, prober, process, service } = await startProbing();
  await fleet.write(registered('b1', 1), registered('b2', 2));
  process.events.setConnected(false);
  prober.answers.set(1, DOWN).set(2, DOWN);
  await fleet.pass(20_000);
  expect(service.fault()).toContain('2 to be written');
  prober.answers.set(2, 1);
  await fleet.pass(20_000);
  process.events.setConnected(true);
  await settled();
  expect([health('b1'), health('b2')]).toEqual(['unhealthy', 'healthy']);
  expect(await fleet.transitions('b1')).toEqual(['healthy', 'unhealthy']);
  expect(await fleet.transitions('b2')).toEqual(['healthy']);
  await fleet.pass(6000);
  expect(service.fault()).toBeUndefined();
});

test('a change that the log may or may not have stored is sent again under the same id', async () => {
  const { fleet, prober, process } = await startProbing();
  await fleet.write(registered('b1', 1));
  const append = process.events.append.bind(process.events);
  const ids: string[] = [];
  process.events.append = async (draft) => {
    ids.push(draft.events[0]!.id);
    if (ids.length === 1) throw new LogUnavailableError('no answer in time');
    return append(draft);
  };
  prober.answers.set(1, DOWN);
  await fleet.pass(20_000);
  expect(ids).toEqual([ids[0], ids[0]]);
  expect(await fleet.transitions('b1')).toEqual(['healthy', 'unhealthy']);
});

test('a change that was stored though its answer was lost is not written twice', async () => {
  const { fleet, prober, process, service } = await startProbing();
  await fleet.write(registered('b1', 1));
  const append = process.events.append.bind(process.events);
  process.events.append = async (draft) => {
    process.lag();
    await append(draft);
    process.events.setConnected(false);
    throw new LogUnavailableError('disconnected');
  };
  prober.answers.set(1, DOWN);
  await fleet.pass(20_000);
  expect(service.fault()).toContain('1 to be written');
  process.events.append = append;
  process.events.setConnected(true);
  await settled();
  process.catchUp();
  await settled();
  expect(service.fault()).toBeUndefined();
  await fleet.pass(20_000);
  expect(await fleet.transitions('b1')).toEqual(['healthy', 'unhealthy']);
});

test('while its own change is not folded yet, it is not written again', async () => {
  const { fleet, prober, process } = await startProbing();
  await fleet.write(registered('b1', 1));
  process.lag();
  prober.answers.set(1, DOWN);
  await fleet.pass(60_000);
  process.catchUp();
  await fleet.pass(10_000);
  expect(await fleet.transitions('b1')).toEqual(['healthy', 'unhealthy']);
});

test('when somebody else writes first, nothing is written until there is reason to', async () => {
  const { fleet, prober, process, health } = await startProbing();
  await fleet.write(registered('b1', 1));
  const lastOf = process.events.lastOf.bind(process.events);
  let raced = false;
  process.events.lastOf = async (subject) => {
    const position = await lastOf(subject);
    if (!raced) {
      raced = true;
      process.lag();
      await fleet.rival('backend.became_unhealthy', 'b1');
    }
    return position;
  };
  prober.answers.set(1, DOWN);
  await fleet.pass(30_000);
  expect(raced).toBe(true);
  process.catchUp();
  await fleet.pass(10_000);
  expect(await fleet.transitions('b1')).toEqual(['healthy', 'unhealthy']);
  prober.answers.set(1, 1);
  await fleet.pass(30_000);
  expect(health('b1')).toBe('healthy');
});

test('what another prober found is contradicted by later probes only', async () => {
  const { fleet, prober } = await startProbing();
  await fleet.write(registered('b1', 1));
  await fleet.pass(30_000);
  await fleet.rival('backend.became_unhealthy', 'b1');
  expect(await fleet.transitions('b1')).toEqual(['healthy', 'unhealthy']);
  prober.take(1);
  await fleet.pass(7000);
  expect(prober.take(1)).toBeGreaterThanOrEqual(2);
  expect(await fleet.transitions('b1')).toEqual(['healthy', 'unhealthy', 'healthy']);
});
