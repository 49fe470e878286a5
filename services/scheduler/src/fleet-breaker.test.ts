import type { EventDraft } from '@usher/events';
import { expect, test, vi } from 'vitest';
import { declared, newFleet, saw, started, tripped } from './testing/test-fleet.ts';

test('the fleet breaker needs most of the gateways that lately saw traffic, and half opens when its time has come', async () => {
  const fleet = newFleet();
  const { fold, events } = await fleet.start('s1', declared(['a']));
  const breaker = () => fold.state.backends.get('a')?.breaker;
  const until = fleet.clock.now() + 30_000;
  const gateways = ['gw-1', 'gw-2', 'gw-3'];
  await fleet.facts(events, [...gateways.map(started), ...gateways.map((gateway) => saw(gateway, 'a'))]);
  await fleet.facts(events, [tripped('gw-1', 'a', until)]);
  await fleet.command('backend.enable', { backend: 'a' });
  expect(breaker()).toBe('closed');
  await fleet.facts(events, [tripped('gw-2', 'a', until)]);
  await vi.waitFor(() => expect(breaker()).toBe('open'));
  fleet.clock.advance(30_100);
  await vi.waitFor(() => expect(breaker()).toBe('half_open'));
  const recovered = {
    type: 'breaker.recovered',
    subject: 'a',
    data: { backend: 'a', gateway: 'gw-1' },
  } as const;
  await fleet.facts(events, [recovered]);
  await vi.waitFor(() => expect(breaker()).toBe('closed'));
});

test.each([
  { type: 'backend.became_healthy', subject: 'a', data: { backend: 'a', cause: '' } } as const,
  { type: 'backend.probes_passed', subject: 'a', data: { backend: 'a' } } as const,
])('an open breaker half opens as soon as probes see the backend recover: $type', async (seen) => {
  const fleet = newFleet();
  const { fold, events } = await fleet.start('s1', declared(['a']));
  const breaker = () => fold.state.backends.get('a')?.breaker;
  await fleet.facts(events, [started('gw-1'), tripped('gw-1', 'a', fleet.clock.now() + 30_000)]);
  await vi.waitFor(() => expect(breaker()).toBe('open'));
  await fleet.facts(events, [seen]);
  await vi.waitFor(() => expect(breaker()).toBe('half_open'));
});

test('a breaker whose time another clock has told, an hour ahead, half opens at once and not in an hour', async () => {
  const fleet = newFleet();
  const { fold, events } = await fleet.start('s1', declared(['a', 'b']));
  const breakers = () => Array.from(fold.state.backends.values(), ({ breaker }) => breaker);
  const opened = (backend: string, openForMs: number): EventDraft => {
    const untilMs = fleet.clock.now() + openForMs;
    return { type: 'breaker.opened', subject: backend, data: { backend, untilMs, votes: ['gw-1'] } };
  };
  await fleet.facts(events, [started('gw-1'), opened('a', 3_600_000), opened('b', 31_000)]);
  await vi.waitFor(() => expect(breakers()).toEqual(['open', 'open']));
  fleet.clock.advance(100);
  await vi.waitFor(() => expect(breakers()).toEqual(['half_open', 'open']));
});

test('trials without a verdict are passed on as long as there is traffic to the pool, and no more often than that', async () => {
  const fleet = newFleet();
  const { fold, events, context } = await fleet.start('s1', declared(['a', 'b']));
  await context.store.acquireLease('gateway/gw-1', 'test', 1_000_000);
  const state = () => fold.state.backends.get('a')!;
  const settled = async () => void (await fleet.command('backend.enable', { backend: 'b' }));
  await fleet.facts(events, [started('gw-1'), tripped('gw-1', 'a', fleet.clock.now() + 30_000)]);
  await vi.waitFor(() => expect(state().breaker).toBe('open'));
  fleet.clock.advance(30_100);
  await vi.waitFor(() => expect(state().breaker).toBe('half_open'));
  fleet.clock.advance(90_000);
  await settled();
  expect(state().trialRound).toBe(0);
  await fleet.facts(events, [saw('gw-1', 'b')]);
  await settled();
  fleet.clock.advance(100);
  await vi.waitFor(() => expect(state()).toMatchObject({ breaker: 'half_open', trialRound: 1 }));
  fleet.clock.advance(29_000);
  await fleet.facts(events, [saw('gw-1', 'b')]);
  await settled();
  expect(state().trialRound).toBe(1);
  fleet.clock.advance(1_100);
  await vi.waitFor(() => expect(state().trialRound).toBe(2));
  fleet.clock.advance(60_000);
  await settled();
  expect(state().trialRound).toBe(2);
});

test('a gateway that fails against most of its backends has no vote', async () => {
  const fleet = newFleet();
  const { fold, events } = await fleet.start('s1', declared(['a', 'b', 'c']));
  const until = fleet.clock.now() + 30_000;
  await fleet.facts(events, [started('gw-1'), started('gw-2'), saw('gw-1', 'a', 'b', 'c')]);
  await fleet.facts(
    events,
    ['a', 'b', 'c'].map((backend) => tripped('gw-1', backend, until)),
  );
  await fleet.command('backend.enable', { backend: 'a' });
  expect(fold.state.backends.get('c')?.breaker).toBe('closed');
});

test('a gateway that fails where others do not is flagged after a while, and cleared when it is well again', async () => {
  const fleet = newFleet();
  const { fold, events, context } = await fleet.start('s1', declared(['a', 'b', 'c']));
  const suspect = () => fold.state.gateways.get('gw-1')?.suspect ?? null;
  const everybody = ['gw-1', 'gw-2'];
  await fleet.facts(events, everybody.map(started));
  await fleet.facts(
    events,
    everybody.map((gateway) => saw(gateway, 'a', 'b', 'c')),
  );
  const untilMs = fleet.clock.now() + 20_000;
  await fleet.facts(
    events,
    ['a', 'b', 'c'].map((backend) => tripped('gw-1', backend, untilMs)),
  );
  fleet.clock.advance(1_000);
  fleet.clock.advance(2_000);
  await fleet.command('backend.enable', { backend: 'a' });
  expect(suspect()).toBeNull();
  fleet.clock.advance(2_000);
  await vi.waitFor(() => expect(suspect()).toMatchObject({ tripped: 3, used: 3 }));
  expect([...fold.state.backends.values()].map(({ breaker }) => breaker)).toEqual([
    'closed',
    'closed',
    'closed',
  ]);
  expect(context.log).toMatchObject({
    entries: expect.arrayContaining([expect.objectContaining({ level: 'warn' })]),
  });
  fleet.clock.advance(20_000);
  fleet.clock.advance(10_000);
  await vi.waitFor(() => expect(suspect()).toBeNull());
});

test('in an outage for all no gateway is a suspect, and the breakers open', async () => {
  const fleet = newFleet();
  const { fold, events } = await fleet.start('s1', declared(['a', 'b', 'c']));
  const everybody = ['gw-1', 'gw-2'];
  await fleet.facts(events, everybody.map(started));
  await fleet.facts(
    events,
    everybody.map((gateway) => saw(gateway, 'a', 'b', 'c')),
  );
  const untilMs = fleet.clock.now() + 20_000;
  for (const gateway of everybody) {
    await fleet.facts(
      events,
      ['a', 'b', 'c'].map((backend) => tripped(gateway, backend, untilMs)),
    );
    fleet.clock.advance(1_000);
  }
  await vi.waitFor(() =>
    expect([...fold.state.backends.values()].map(({ breaker }) => breaker)).toEqual(['open', 'open', 'open']),
  );
  fleet.clock.advance(9_000);
  expect([...fold.state.gateways.values()].map(({ suspect }) => suspect)).toEqual([null, null]);
});

test('an operator closes the breaker, and forgets which gateways had tripped', async () => {
  const fleet = newFleet();
  const { fold, events } = await fleet.start('s1', declared(['a']));
  const backend = () => fold.state.backends.get('a')!;
  await fleet.facts(events, [started('gw-1'), tripped('gw-1', 'a', fleet.clock.now() + 30_000)]);
  await vi.waitFor(() => expect(backend().breaker).toBe('open'));
  expect(await fleet.command('breaker.reset', { backend: 'a' })).toMatchObject({
    ok: true,
    events: ['breaker.closed'],
  });
  expect(backend().breaker).toBe('closed');
  expect(backend().trippedBy.size).toBe(0);
});
