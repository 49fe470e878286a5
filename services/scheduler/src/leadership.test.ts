import { CONTROL_SUBJECT } from '@usher/events';
import { expect, test, vi } from 'vitest';
import { declared, newFleet } from './testing/test-fleet.ts';

test('a standby takes over when the leader is gone, and a leader that was deposed cannot write', async () => {
  const fleet = newFleet();
  const first = await fleet.start('s1', declared(['a']));
  const second = await fleet.start('s2');
  expect(second.fold.state.leader).toEqual({ scheduler: 's1', term: 1 });
  // The first stands still, as a frozen process would: only its lease runs out.
  const acquire = vi.spyOn(first.context.store, 'acquireLease');
  const lease = acquire.getMockImplementation();
  acquire.mockImplementation(async (name, owner, ttlMs) => {
    if (owner === 's1') return { held: true, owner };
    return (await lease?.(name, owner, ttlMs)) ?? { held: true, owner };
  });
  fleet.clock.advance(6000);
  await vi.waitFor(() => expect(second.fold.state.leader).toEqual({ scheduler: 's2', term: 2 }));
  expect(fleet.storage.records.filter(({ subject }) => subject === CONTROL_SUBJECT)).toHaveLength(2);
  acquire.mockRestore();
});

test('while the log is away commands are refused with a reason, and accepted again when it is back', async () => {
  const fleet = newFleet();
  const { events } = await fleet.start('s1', declared(['a']));
  events.setConnected(false);
  expect(await fleet.command('backend.disable', { backend: 'a' })).toMatchObject({
    ok: false,
    problem: { code: 'log_unavailable', status: 503 },
  });
  events.setConnected(true);
  expect(await fleet.command('backend.disable', { backend: 'a' })).toMatchObject({ ok: true });
});

test.each([0, -3_600_000])(
  'a leader that is cut off from the log makes room for one that is not, though its clock is set by %d ms',
  async (byMs) => {
    const fleet = newFleet();
    const first = await fleet.start('s1', declared(['a']));
    const second = await fleet.start('s2');
    first.events.setConnected(false);
    fleet.clock.set(byMs);
    await vi.waitFor(() => {
      fleet.clock.advance(500);
      expect(second.fold.state.leader).toEqual({ scheduler: 's2', term: 2 });
    });
    expect(await fleet.command('backend.disable', { backend: 'a' })).toMatchObject({ ok: true });
  },
);

test('who cannot begin to lead leaves that to another', async () => {
  const fleet = newFleet();
  await fleet.start('s1', declared(['a']), (events) => events.setConnected(false));
  const second = await fleet.start('s2');
  expect(second.fold.state.leader).toEqual({ scheduler: 's2', term: 1 });
});

test('a command is refused when the log ends before what the state was made of, and traffic has its state', async () => {
  const fleet = newFleet();
  const { command } = fleet;
  const { fold } = await fleet.start('s1', declared(['a']));
  await command('backend.disable', { backend: 'a' });
  await command('backend.enable', { backend: 'a' });
  const before = fold.digest();
  fleet.storage.records.length = 1;
  fleet.storage.lastBySubject.set(CONTROL_SUBJECT, fold.position);
  expect(await command('backend.disable', { backend: 'a' })).toMatchObject({
    ok: false,
    problem: { code: 'log_replaced', status: 503, detail: expect.stringContaining('restart') },
  });
  expect(fold.digest()).toBe(before);
});
