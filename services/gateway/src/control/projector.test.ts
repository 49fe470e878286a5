import type { BackendSettings, SharedSettings } from '@usher/domain';
import type { EventDraft } from '@usher/events';
import { RecordingLog } from '@usher/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { BackendRow, TableDelta } from '../routing-table.ts';
import { policy, pool } from '../testing/fixtures.ts';
import { backendAt, registered, TestFleet } from '../testing/fleet.ts';
import { AdaptiveLimits } from './adaptive-limits.ts';
import { Projector } from './projector.ts';
import { SharedCells } from './shared-cells.ts';

let fleet: TestFleet;
beforeEach(() => {
  fleet = new TestFleet();
});
afterEach(() => fleet.close());

const B1 = backendAt('b1', 'http://127.0.0.1:1');
const B2 = backendAt('b2', 'http://127.0.0.1:2');

function follow(fallback: Partial<SharedSettings> = {}, workers = 1, gateway = 'gw-1') {
  const log = new RecordingLog();
  const projector = new Projector({
    gateway,
    fleet: fleet.fold,
    fallback: { ...policy(), pools: [pool()], backends: [], ...fallback },
    workers,
    cells: new SharedCells(workers, new AdaptiveLimits(fleet.clock)),
    log,
  });
  let deltas: TableDelta[] = [];
  fleet.fold.onRecord((record) => deltas.push(...projector.changesBy(record)));
  /** What these events changed, as one record. */
  const changes = async (...drafts: EventDraft[]): Promise<TableDelta[]> => {
    deltas = [];
    await fleet.append(...drafts);
    return deltas;
  };
  const configure = async (...backends: BackendSettings[]): Promise<TableDelta[]> => {
    deltas = [];
    await fleet.configure(backends);
    return deltas;
  };
  return { projector, changes, configure, log };
}

function rowsIn(deltas: readonly TableDelta[]): BackendRow[] {
  return deltas.flatMap((delta) => (delta.kind === 'backend' ? [delta.row] : []));
}

const about = (type: EventDraft['type'], backend: string, more: object = {}) =>
  ({ type, subject: backend, data: { backend, ...more } }) as EventDraft;

function started(gateway: string): EventDraft {
  return { type: 'gateway.started', subject: gateway, data: { gateway, version: '1', workers: 2 } };
}

describe('before the log has a configuration', () => {
  test('the own settings count, their backends as a last resort that nobody has looked at', () => {
    const { projector } = follow({ backends: [B1] });
    expect(projector.snapshot()).toEqual([
      { kind: 'pool', settings: pool() },
      { kind: 'backend', row: expect.objectContaining({ id: 'b1', eligible: false, lastResort: true }) },
      { kind: 'policy', policy: policy() },
    ]);
  });

  test('what commands put in the log does not count yet', async () => {
    const { changes } = follow({ backends: [B1] });
    expect(await changes(registered(B2))).toEqual([]);
  });

  test('the first configuration replaces the own settings in one step', async () => {
    const { configure, projector } = follow({ backends: [B1], pools: [pool({ id: 'old' })] });
    const deltas = await configure(B2);
    expect(deltas.map(({ kind }) => kind)).toEqual([
      'pool',
      'backend',
      'policy',
      'backend_removed',
      'pool_removed',
    ]);
    expect(deltas).toContainEqual({ kind: 'backend_removed', backend: 'b1' });
    expect(deltas).toContainEqual({ kind: 'pool_removed', pool: 'old' });
    expect(projector.backends().map(({ id }) => id)).toEqual(['b2']);
  });
});

describe('following the log', () => {
  test('starts from what the log holds already', async () => {
    await fleet.configure([B1]);
    const { projector } = follow({ backends: [B2] });
    expect(rowsIn(projector.snapshot())).toMatchObject([{ id: 'b1', eligible: true, lastResort: false }]);
  });

  test('names only the backend that changed', async () => {
    const { configure, changes } = follow();
    await configure(B1, B2);
    expect(await changes(about('backend.disabled', 'b1'))).toMatchObject([
      { kind: 'backend', row: { id: 'b1', eligible: false, lastResort: false } },
    ]);
    expect(await changes(about('backend.removed', 'b2'))).toEqual([
      { kind: 'backend_removed', backend: 'b2' },
    ]);
  });

  test('is silent about what does not concern traffic', async () => {
    const { configure, changes } = follow();
    await configure(B1);
    expect(await changes(about('backend.latency_measured', 'b1', { latencyMs: 3 }))).toEqual([]);
    expect(await changes(about('backend.came_back', 'b1'))).toEqual([]);
  });

  test.each([
    ['backend.became_unhealthy', { cause: 'test' }, { eligible: false, lastResort: false, halfOpen: false }],
    ['backend.drain_started', { deadlineMs: 1, remove: false }, { eligible: false, lastResort: false }],
    ['breaker.opened', { untilMs: 1, votes: [] }, { eligible: false, lastResort: true, halfOpen: false }],
    ['breaker.half_opened', {}, { eligible: true, lastResort: false, halfOpen: true }],
  ] as const)('turns %s into who may be chosen', async (type, data, expected) => {
    const { configure, changes } = follow();
    await configure(B1);
    expect(rowsIn(await changes(about(type, 'b1', data)))).toMatchObject([expected]);
  });

  test('does not try along when the breakers of the pool are switched off', async () => {
    const { configure, changes } = follow();
    await configure(B1);
    const settings = pool({ breaker: { ...pool().breaker, enabled: false } });
    await changes({ type: 'pool.updated', subject: 'web', data: { settings } });
    expect(rowsIn(await changes(about('breaker.half_opened', 'b1')))).toEqual([]);
  });

  test('follows a change of policy, and names pools and backends only when they changed too', async () => {
    const { configure, changes } = follow();
    await configure(B1);
    const next = policy({ trustedProxies: ['10.0.0.0/8'] });
    expect(
      await changes({
        type: 'config.applied',
        subject: 'fleet',
        data: { revision: 2, hash: 'i', policy: next },
      }),
    ).toEqual([{ kind: 'policy', policy: next }]);
  });

  test('divides the trials of a gateway’s own half-open breaker among its workers, one at least', async () => {
    const { configure, changes, projector } = follow({}, 2);
    await configure(B1);
    const trials = () => projector.backends().map(({ trialLimit }) => trialLimit);
    for (const [halfOpenRequests, each] of [
      [12, 6],
      [1, 1],
    ] as const) {
      const settings = pool({ breaker: { ...pool().breaker, halfOpenRequests } });
      await changes({ type: 'pool.updated', subject: 'web', data: { settings } });
      expect(trials()).toEqual([each]);
    }
  });

  test.each([
    [2, 1, [[1], [0], [0], [1]]],
    [
      3,
      2,
      [
        [1, 0],
        [0, 0],
        [1, 0],
        [1, 0],
      ],
    ],
    [
      9,
      2,
      [
        [2, 1],
        [1, 1],
        [1, 1],
        [1, 1],
      ],
    ],
  ])(
    'divides %i trials of the fleet’s half-open breaker among all its workers, most to who has traffic, and passes them on',
    async (halfOpenRequests, workers, parts) => {
      const gateways = ['d', 'c', 'b', 'a'];
      const followers = gateways.map((gateway) => follow({}, workers, gateway));
      const { configure, changes } = followers[0]!;
      await configure(B1, B2);
      await changes(...gateways.map(started));
      const seen = { backend: 'b2', requests: 1, failures: 0, latencySumMs: 1 };
      const data = { gateway: 'd', windowMs: 1, requests: 1, errors: 0, backends: [seen] };
      await changes({ type: 'gateway.observed', subject: 'd', data });
      const settings = pool({ breaker: { ...pool().breaker, halfOpenRequests } });
      await changes({ type: 'pool.updated', subject: 'web', data: { settings } });
      await changes({ type: 'breaker.half_opened', subject: 'b1', data: { backend: 'b1' } });
      expect(followers.map(({ projector }) => projector.backends()[0]?.fleetTrials)).toEqual(parts);
    },
  );

  test('leaves out a backend whose address it cannot use, and takes it in when that is mended', async () => {
    const { configure, changes, log, projector } = follow();
    await configure(backendAt('b1', 'gopher://somewhere'));
    expect(projector.backends()).toEqual([]);
    expect(log.entries).toMatchObject([{ level: 'warn', fields: { backend: 'b1' } }]);
    const mended = await changes({ type: 'backend.updated', subject: 'b1', data: { settings: B1 } });
    expect(rowsIn(mended)).toMatchObject([{ id: 'b1', url: B1.url }]);
  });

  test('changes add up to what a fresh look gives', async () => {
    const { configure, changes, projector } = follow();
    await configure(B1, B2);
    await changes(about('backend.disabled', 'b1'));
    await changes(
      registered(backendAt('b3', 'http://127.0.0.1:3', { pool: 'other' })),
      about('backend.removed', 'b2'),
    );
    const fresh = follow().projector;
    expect(projector.snapshot()).toEqual(fresh.snapshot());
  });
});
