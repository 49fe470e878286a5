import { NO_RESOURCES } from '@usher/domain';
import { type EventDraft, envelop } from '@usher/events';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { auditReservations } from './reservation-audit.ts';

const cores = (count: number) => ({ ...NO_RESOURCES, milliCpu: 1000 * count });
let nextId = 0;
const audit = (...drafts: readonly EventDraft[]) =>
  auditReservations(
    envelop(drafts, { source: 'usher/gateway/g', timeMs: 0, actor: 'g' }, () => `id-${nextId++}`),
  );
const kinds = (...drafts: readonly EventDraft[]) => audit(...drafts).violations.map(({ kind }) => kind);

interface Where {
  readonly backend?: string;
  readonly run?: number;
  readonly of?: number;
}

/** A core of a backend that has `of`. */
function held(step: number, allocation: string, { backend = 'b1', run = 1, of = 2 }: Where = {}): EventDraft {
  const at = { pool: 'p', run, step };
  const data = {
    backend,
    allocation,
    owner: 'g',
    resources: cores(1),
    expiresAtMs: 9,
    capacity: cores(of),
    at,
  };
  return { type: 'allocation.reserved', subject: backend, data };
}
function ended(step: number, allocation: string, { backend = 'b1', run = 1 }: Where = {}): EventDraft {
  const data = { backend, allocation, at: { pool: 'p', run, step } };
  return { type: 'allocation.expired', subject: backend, data };
}

/** A backend as it is declared from now on. */
const declared = (milliCpu: number): EventDraft => {
  const settings = {
    id: 'b1',
    pool: 'p',
    url: 'http://b',
    weight: 1,
    capacity: { ...NO_RESOURCES, milliCpu },
  };
  return { type: 'backend.updated', subject: 'b1', data: { settings } };
};

describe('the audit of reservations', () => {
  test('proves a log in which every step is told and none exceeds', () => {
    const report = audit(held(1, 'a'), held(2, 'b'), ended(3, 'a'), held(4, 'c'), ended(5, 'c'));
    expect(report).toEqual({
      pools: [{ pool: 'p', runs: 1, steps: 5, missing: 0, violations: 0 }],
      withoutStore: 0,
      violations: [],
      proven: true,
    });
  });

  test('finds the step that exceeds, wherever in the log it stands', () => {
    const report = audit(held(3, 'c'), held(1, 'a'), ended(4, 'a'), held(2, 'b'));
    expect(report.violations).toEqual([
      {
        kind: 'exceeded',
        run: 1,
        step: 3,
        position: 1,
        backend: 'b1',
        allocation: 'c',
        restored: false,
        dimension: 'milliCpu',
        reserved: 3000,
        capacity: 2000,
      },
    ]);
    expect(report.proven).toBe(false);
  });

  test('takes the order of the store and not that of the log', () => {
    expect(kinds(held(1, 'a'), held(4, 'c'), held(2, 'b'), ended(3, 'a'))).toEqual([]);
  });

  test('keeps backends, runs and pools apart', () => {
    const other = held(3, 'c', { backend: 'b2', of: 1 });
    expect(kinds(held(1, 'a'), held(2, 'b'), other, held(1, 'x', { run: 2, of: 1 }))).toEqual([]);
  });

  test('takes for certain only what no missing step may have ended', () => {
    // Step 3 may have given back a or b.
    const report = audit(held(1, 'a'), held(2, 'b'), held(4, 'c'));
    expect(report).toMatchObject({ pools: [{ steps: 3, missing: 1 }], violations: [], proven: false });
    expect(kinds(held(1, 'a'), held(2, 'b'), held(4, 'c'), held(5, 'd'), held(6, 'e'))).toEqual(['exceeded']);
    expect(kinds(held(2, 'a'), ended(3, 'b'))).toEqual([]);
  });

  test('finds an allocation that is given back twice or is in two places', () => {
    expect(kinds(held(1, 'a'), ended(2, 'a'), ended(3, 'a'))).toEqual(['twice']);
    expect(kinds(held(1, 'a'), held(2, 'a', { backend: 'b2' }))).toEqual(['twice']);
  });

  test('counts an allocation once that passes from one gateway to another', () => {
    expect(kinds(held(1, 'a', { of: 1 }), held(2, 'a', { of: 1 }), ended(3, 'a'))).toEqual([]);
  });

  test('finds two stories of one step, and takes one story told twice for one', () => {
    expect(kinds(held(2, 'a'), held(2, 'b'), held(1, 'c'))).toEqual(['contradicted']);
    expect(kinds(held(1, 'a'), held(1, 'a'), held(3, 'b'), held(3, 'b'), ended(2, 'a'))).toEqual([]);
  });

  test('finds a gateway that took a backend for larger than it was ever declared', () => {
    expect(kinds(declared(2000), declared(1000), held(1, 'a', { of: 2 }))).toEqual([]);
    expect(kinds(declared(1000), held(1, 'a', { of: 2 }))).toEqual(['overstated']);
  });

  test('tells how much was reserved without the store', () => {
    const { type, subject, data } = held(1, 'a') as Extract<EventDraft, { type: 'allocation.reserved' }>;
    const { at: _none, ...rest } = data;
    expect(audit({ type, subject, data: rest })).toMatchObject({ pools: [], withoutStore: 1, proven: true });
  });
});

/** A random history of a store with one backend of three cores, by four gateways: all is told, in each gateway's own order. */
const history = fc
  .array(fc.record({ gateway: fc.nat(3), gives: fc.boolean(), which: fc.nat(9) }), { maxLength: 60 })
  .map((wishes) => {
    const live: string[] = [];
    const told: { gateway: number; draft: EventDraft }[] = [];
    for (const { gateway, gives, which } of wishes) {
      const step = told.length + 1;
      if (gives && live.length > 0) {
        const [allocation] = live.splice(which % live.length, 1);
        told.push({ gateway, draft: ended(step, allocation!) });
      } else if (live.length < 3) {
        live.push(`a${step}`);
        told.push({ gateway, draft: held(step, `a${step}`, { of: 3 }) });
      }
    }
    return told;
  });

test('however the facts of several gateways are mixed and lost, what was right is never found wrong', () => {
  fc.assert(
    fc.property(
      history,
      fc.infiniteStream(fc.nat(3)),
      fc.infiniteStream(fc.nat(9)),
      (told, turns, losses) => {
        const lanes = [0, 1, 2, 3].map((gateway) => told.filter((each) => each.gateway === gateway));
        const mixed: EventDraft[] = [];
        while (mixed.length < told.length) {
          const next = lanes[turns.next().value!]!.shift();
          if (next !== undefined) mixed.push(next.draft);
        }
        expect(audit(...mixed)).toMatchObject({ violations: [], proven: true });
        const kept = mixed.filter(() => losses.next().value !== 0);
        expect(audit(...kept).violations).toEqual([]);
      },
    ),
  );
});
