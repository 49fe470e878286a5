import { describe, expect, it } from 'vitest';
import { CATALOGUE } from './catalogue.ts';
import type { EventDraft, UsherEvent } from './envelope.ts';
import { decodeRecord, encodeRecord, envelop } from './record.ts';

const DRAFTS: readonly EventDraft[] = [
  { type: 'backend.latency_measured', subject: 'web-1', data: { backend: 'web-1', latencyMs: 12.5 } },
  { type: 'backend.became_healthy', subject: 'web-1', data: { backend: 'web-1', cause: '2 × 200 ✓' } },
];
const CONTEXT = { source: 'usher/health/h-1', timeMs: Date.UTC(2026, 0, 1), actor: 'health' };

function events(): UsherEvent[] {
  let next = 0;
  return envelop(DRAFTS, CONTEXT, () => `id-${next++}`);
}

/** The record with its first event changed, as text. */
function changed(changes: Readonly<Record<string, unknown>>): string {
  const [first, ...rest] = events();
  return JSON.stringify([{ ...first, ...changes }, ...rest]);
}

function causesOf(text: string): string[] {
  return decodeRecord(text).quarantined.map(({ cause }) => cause);
}

describe('envelop', () => {
  it('makes CloudEvents with ids, time and the version that is written now', () => {
    expect(events()[0]).toEqual({
      specversion: '1.0',
      id: 'id-0',
      source: 'usher/health/h-1',
      type: 'backend.latency_measured',
      subject: 'web-1',
      time: '2026-01-01T00:00:00.000Z',
      dataversion: CATALOGUE['backend.latency_measured'].version,
      data: { backend: 'web-1', latencyMs: 12.5 },
      actor: 'health',
    });
  });

  it('carries a reason and a cause when there are any', () => {
    const [event] = envelop(DRAFTS, { ...CONTEXT, reason: 'test', causationId: 'c-1' }, () => 'id');
    expect(event).toMatchObject({ reason: 'test', causationid: 'c-1' });
  });
});

describe('decodeRecord', () => {
  it('reads what was encoded', () => {
    expect(decodeRecord(encodeRecord(events()))).toEqual({ events: events(), quarantined: [] });
  });

  it('reads a record of no events', () => {
    expect(decodeRecord('[]')).toEqual({ events: [], quarantined: [] });
  });

  it.each([
    ['not JSON', 'not JSON'],
    ['', 'not JSON'],
    ['{}', 'not an array'],
    ['null', 'not an array'],
  ])('sets a record aside as a whole when it is %j', (text, cause) => {
    const { events, quarantined } = decodeRecord(text);
    expect(events).toEqual([]);
    expect(quarantined).toEqual([{ index: -1, cause: expect.stringContaining(cause) }]);
  });

  it.each([
    [{ type: 'backend.was_painted' }, 'unknown type backend.was_painted'],
    [{ type: '__proto__' }, 'unknown type __proto__'],
    [{ type: 'toString' }, 'unknown type toString'],
    [{ type: 7 }, 'attribute type is missing'],
    [{ id: undefined }, 'attribute id is missing'],
    [{ actor: null }, 'attribute actor is missing'],
    [{ specversion: '0.3' }, 'CloudEvents 1.0'],
    [{ dataversion: '1' }, 'attribute dataversion is missing'],
    [{ dataversion: 99 }, 'version 99, newer than'],
    [{ dataversion: 0 }, 'version 0, which cannot be read'],
    [{ data: { backend: 'web-1', latencyMs: -1 } }, 'latencyMs'],
    [{ data: { backend: 'web 1', latencyMs: 1 } }, 'backend'],
    [{ data: { backend: 'web-1', latencyMs: 1, colour: 'red' } }, 'colour'],
    [{ data: undefined }, 'backend.latency_measured'],
  ])('sets an event aside with the reason, and keeps the others: %j', (changes, cause) => {
    const { events: kept, quarantined } = decodeRecord(changed(changes));
    expect(kept).toEqual(events().slice(1));
    expect(quarantined).toEqual([{ index: 0, cause: expect.stringContaining(cause) }]);
  });

  it('sets aside what is no event at all', () => {
    expect(causesOf('[1,null,"text",[],true]')).toHaveLength(5);
  });

  it('reads allocations of the first version, which did not say when the store did it', () => {
    const data = { backend: 'web-1', allocation: 'a', cause: 'done' };
    const [event] = decodeRecord(changed({ type: 'allocation.released', dataversion: 1, data })).events;
    expect(event).toMatchObject({ dataversion: CATALOGUE['allocation.released'].version, data });
  });

  it('keeps extension attributes that it does not know', () => {
    expect(decodeRecord(changed({ tracestate: 'a=b' })).events[0]).toMatchObject({ tracestate: 'a=b' });
  });
});
