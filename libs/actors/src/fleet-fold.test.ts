import { decodeRecord, type EventDraft, encodeRecord, envelop } from '@usher/events';
import { expect, test } from 'vitest';
import { FleetFold } from './fleet-fold.ts';

let nextId = 0;
const record = (position: number, drafts: readonly EventDraft[]) => ({
  position,
  subject: 'usher.events.scheduler.control',
  events: envelop(drafts, { source: 'usher/test/t', timeMs: 1000, actor: 'test' }, () => `id-${nextId++}`),
  quarantined: [],
});

const registered = (id: string): EventDraft => ({
  type: 'backend.registered',
  subject: id,
  data: {
    settings: { id, pool: 'web', url: 'http://127.0.0.1:1', weight: 1 },
    origin: 'command',
    health: 'unknown',
  },
});
const accepted = (command: string): EventDraft => ({
  type: 'command.accepted',
  subject: 'fleet',
  data: { command, name: 'backend.add', fingerprint: 'f' },
});
const observed = (requests: number): EventDraft => ({
  type: 'gateway.observed',
  subject: 'gw-1',
  data: {
    gateway: 'gw-1',
    windowMs: 1000,
    requests,
    errors: 0,
    backends: [{ backend: 'a', requests, failures: 1, latencySumMs: 3 }],
  },
});

const started = (gateway: string): EventDraft => ({
  type: 'gateway.started',
  subject: gateway,
  data: { gateway, version: '0', workers: 1 },
});
const stopped = (gateway: string): EventDraft => ({
  type: 'gateway.stopped',
  subject: gateway,
  data: { gateway },
});

test('the same records give the same digest, whatever order registration filled the maps in', () => {
  const one = new FleetFold();
  one.apply(record(1, [registered('a'), registered('b')]));
  const other = new FleetFold();
  other.apply(record(1, [registered('b'), registered('a')]));
  expect(one.digest()).toBe(other.digest());
  other.apply(record(2, [{ type: 'backend.disabled', subject: 'a', data: { backend: 'a' } }]));
  expect(one.digest()).not.toBe(other.digest());
});

test('a record stored twice by a resend is folded once', () => {
  const fold = new FleetFold();
  fold.apply(record(1, [registered('a')]));
  const facts = record(2, [observed(5)]);
  fold.apply(facts);
  fold.apply({ ...facts, position: 3 });
  expect(fold.state.backends.get('a')?.requests).toBe(5);
  expect(fold.position).toBe(3);
});

test('a fold restored from a snapshot goes on as if it had never stopped, doubled records included', () => {
  const whole = new FleetFold();
  const facts = record(2, [observed(5)]);
  whole.apply(record(1, [registered('a'), accepted('c1')]));
  whole.apply(facts);
  const restored = FleetFold.restore(JSON.parse(JSON.stringify(whole.snapshot())));
  if (restored === undefined) throw new Error('the snapshot was not taken');
  expect(restored.digest()).toBe(whole.digest());
  const more = record(4, [registered('c')]);
  for (const fold of [whole, restored]) {
    fold.apply({ ...facts, position: 3 });
    fold.apply(more);
  }
  expect(restored.digest()).toBe(whole.digest());
  expect(restored.state.receipts.get('c1')).toEqual({
    id: 'c1',
    fingerprint: 'f',
    position: 1,
    eventTypes: ['backend.registered'],
  });
});

test('a snapshot of another format is not used', () => {
  expect(FleetFold.restore({ position: 1, format: 0, state: '{}' })).toBeUndefined();
});

test('every event survives being written and read', () => {
  const { events } = record(1, [registered('a'), observed(2)]);
  expect(decodeRecord(encodeRecord(events))).toEqual({ events, quarantined: [] });
});

test('events about a backend that is gone change nothing', () => {
  const fold = new FleetFold();
  fold.apply(record(1, [registered('a')]));
  fold.apply(record(2, [{ type: 'backend.removed', subject: 'a', data: { backend: 'a' } }]));
  const before = fold.digest();
  fold.apply(
    record(3, [{ type: 'backend.became_healthy', subject: 'a', data: { backend: 'a', cause: 'late' } }]),
  );
  expect(fold.digest()).toBe(before);
});

test('gateways that are gone are remembered, and forgotten when enough others have gone after them', () => {
  const fold = new FleetFold();
  let position = 0;
  const apply = (draft: EventDraft) => fold.apply(record(++position, [draft]));
  apply(started('stays'));
  apply(started('returns'));
  apply(stopped('returns'));
  for (let index = 0; index < 300; index++) {
    apply(started(`g${index}`));
    apply(stopped(`g${index}`));
    if (index === 50) {
      apply(started('returns'));
    }
  }
  apply(stopped('returns'));
  expect(fold.state.gateways.size).toBe(101);
  expect(fold.state.gateways.get('stays')?.running).toBe(true);
  expect(fold.state.gateways.get('returns')?.running).toBe(false);
  expect(fold.state.gateways.has('g299')).toBe(true);
  expect(fold.state.gateways.has('g100')).toBe(false);
  // A fold that goes on from a snapshot forgets the same ones.
  const restored = FleetFold.restore(fold.snapshot());
  apply(started('last'));
  restored?.apply(record(position, [started('last')]));
  for (const each of [fold, restored]) each?.apply(record(position + 1, [stopped('last')]));
  expect(restored?.digest()).toBe(fold.digest());
});
