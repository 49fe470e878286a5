import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CLIENT, OpsenRig, REPORT } from '../testing/opsen-rig.ts';

const GIB = 2 ** 30;
let rig: OpsenRig;
beforeEach(async () => {
  rig = await OpsenRig.start();
});
afterEach(async () => {
  await rig.stop();
});

describe('POST /stats', () => {
  test('takes a report', async () => {
    await rig.call('POST', '/register', CLIENT);
    expect(await rig.call('POST', '/stats', REPORT)).toEqual([200, { status: 'ok' }]);
    await rig.fleet.seconds(1);
    expect(rig.fleet.fold.state.backends.get('gpu-1')?.stats).toMatchObject({
      coresPercent: [12.34, 100],
      memoryUsedBytes: 8.5 * GIB,
      memoryTotalBytes: 32 * GIB,
      diskUsedBytes: 40 * GIB,
      diskTotalBytes: 100 * GIB,
      gpus: [
        {
          percent: 45.5,
          memoryUsedBytes: 32.5 * GIB,
          memoryTotalBytes: 80 * GIB,
          temperatureC: 65,
          powerW: 250,
        },
      ],
    });
  });

  test('tells a client that the fleet does not know to register', async () => {
    expect(await rig.call('POST', '/stats', REPORT)).toEqual([
      404,
      'Unknown client_id: gpu-1; register it first\n',
    ]);
    rig.fleet.register('gpu-1', { pool: 'web' });
    expect((await rig.call('POST', '/stats', REPORT))[0]).toBe(404);
  });

  test('a client that reports once a minute is relied on in between, and not after five minutes of silence', async () => {
    await rig.call('POST', '/register', CLIENT);
    await rig.call('POST', '/stats', REPORT);
    await rig.fleet.seconds(299);
    expect(rig.fleet.types().filter((type) => type === 'backend.went_stale')).toEqual([]);
    await rig.fleet.seconds(3);
    expect(rig.fleet.types()).toContain('backend.went_stale');
    const [, clients] = await rig.call('GET', '/clients?active_only=true');
    expect(clients).toEqual([]);
  });

  test('for how long it may be silent is told, and not changed by the pauses that it has made', async () => {
    await rig.stop();
    rig = await OpsenRig.start({ staleAfterMs: 120_000 });
    const wentStale = () => rig.fleet.types().filter((type) => type === 'backend.went_stale').length;
    await rig.call('POST', '/register', CLIENT);
    // Each pause is longer than what is allowed, so that an interval that was learned would be too.
    for (let pause = 1; pause <= 4; pause++) {
      await rig.call('POST', '/stats', REPORT);
      await rig.fleet.seconds(119);
      expect(wentStale()).toBe(pause - 1);
      expect(await rig.call('POST', '/clients/purge', {})).toMatchObject([200, { purged: 0 }]);
      await rig.fleet.seconds(3);
      expect(wentStale()).toBe(pause);
      await rig.fleet.seconds(300);
    }
    expect(await rig.call('POST', '/clients/purge', {})).toMatchObject([200, { purged: 1 }]);
  });

  test('a client is given the same time again after a restart', async () => {
    await rig.call('POST', '/register', CLIENT);
    await rig.call('POST', '/stats', REPORT);
    await rig.fleet.seconds(30);
    await rig.restart();
    const isStale = () => rig.fleet.fold.state.backends.get('gpu-1')?.stale;
    await rig.fleet.seconds(299);
    expect(isStale()).toBe(false);
    await rig.fleet.seconds(3);
    expect(isStale()).toBe(true);
    await rig.restart();
    await rig.call('POST', '/stats', REPORT);
    await rig.fleet.seconds(2);
    expect(isStale()).toBe(false);
  });

  test('nobody else is given that time: neither who is declared in that pool, nor agents in others', async () => {
    rig.fleet.register('declared', { pool: 'infer' }, 'config');
    rig.fleet.register('elsewhere', { pool: 'web' }, 'agent');
    await rig.call('POST', '/register', CLIENT);
    await rig.call('POST', '/stats', REPORT);
    await rig.fleet.seconds(2, ['declared', 'elsewhere']);
    await rig.restart();
    await rig.fleet.seconds(10);
    const { backends } = rig.fleet.fold.state;
    const stale = ['gpu-1', 'declared', 'elsewhere'].map((id) => backends.get(id)?.stale);
    expect(stale).toEqual([false, true, true]);
  });

  test('clients that are silent for good are taken away when somebody asks for that, and others stay', async () => {
    await rig.call('POST', '/register', CLIENT);
    await rig.call('POST', '/stats', REPORT);
    const nobody = { status: 'success', purged: 0, cache_purged: 0, db_purged: 0 };
    expect(await rig.call('POST', '/clients/purge', {})).toMatchObject([200, nobody]);
    await rig.fleet.seconds(302);
    expect(await rig.call('DELETE', '/clients/purge')).toMatchObject([200, { purged: 1, db_purged: 1 }]);
    await rig.fleet.seconds(1);
    expect(rig.fleet.fold.state.backends.get('gpu-1')?.lifecycle ?? 'removed').not.toBe('active');
    expect(await rig.call('POST', '/clients/purge-pending', {})).toMatchObject([
      200,
      { status: 'success', purged: 0 },
    ]);
    expect((await rig.call('GET', '/clients/purge'))[0]).toBe(405);
  });

  test.each([
    [{ client_id: undefined }, 'Missing required field: client_id\n'],
    [{ cpu_usage_avg: [-5] }, 'Invalid JSON body: cpu_usage_avg: expected a number from -1 to 110\n'],
    [{ cpu_usage_avg: ['12'] }, expect.stringContaining('cpu_usage_avg')],
    [{ memory_total_gb: -1 }, expect.stringContaining('memory_total_gb')],
    [{ gpus: [{ utilization_pct: 1000 }] }, expect.stringContaining('gpus[0].utilization_pct')],
    [{ gpus: [7] }, 'Invalid JSON body: gpus[0]. is no object\n'],
  ])('says what is wrong: %j', async (changes, text) => {
    await rig.call('POST', '/register', CLIENT);
    expect(await rig.call('POST', '/stats', { ...REPORT, ...changes })).toEqual([400, text]);
  });
});
