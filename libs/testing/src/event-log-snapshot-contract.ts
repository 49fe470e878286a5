import { expect, it } from 'vitest';
import type { ContractContext } from './event-log-harness.ts';

/** More than a NATS message may hold, so that drivers must split it. */
const LARGE_STATE_CHARS = 3_000_000;

export function testSnapshots(context: ContractContext): void {
  it('has no snapshot at first', async () => {
    expect(await context.log.loadSnapshot()).toBeUndefined();
    expect(await context.log.loadSnapshot(5)).toBeUndefined();
  });

  it('gives the newest snapshot, or the newest at or before a position', async () => {
    const { log } = context;
    for (const position of [3, 12, 7]) {
      await log.saveSnapshot({ position, format: 2, state: `{"at":${position}}` });
    }
    expect(await log.loadSnapshot()).toEqual({ position: 12, format: 2, state: '{"at":12}' });
    expect((await log.loadSnapshot(11))?.position).toBe(7);
    expect((await log.loadSnapshot(7))?.position).toBe(7);
    expect((await log.loadSnapshot(6))?.position).toBe(3);
    expect(await log.loadSnapshot(2)).toBeUndefined();
  });

  it('replaces a snapshot of the same position', async () => {
    const { log } = context;
    await log.saveSnapshot({ position: 3, format: 1, state: 'old' });
    await log.saveSnapshot({ position: 3, format: 2, state: 'new' });
    expect(await log.loadSnapshot()).toEqual({ position: 3, format: 2, state: 'new' });
  });

  it('keeps what is saved when there are many snapshots of later positions', async () => {
    const { log } = context;
    for (let position = 101; position <= 112; position++) {
      await log.saveSnapshot({ position, format: 1, state: 'later' });
    }
    await log.saveSnapshot({ position: 5, format: 1, state: 'newest' });
    expect((await log.loadSnapshot(50))?.state).toBe('newest');
  });

  it('keeps large states and any text, also after it was opened again', async () => {
    const state = '"ü\n\u2028€😀'.padEnd(LARGE_STATE_CHARS, 'ö');
    await context.log.saveSnapshot({ position: 9, format: 1, state });
    await context.reopen();
    const loaded = await context.log.loadSnapshot();
    expect(loaded?.position).toBe(9);
    expect(loaded?.state === state).toBe(true);
  });

  it('ignores a snapshot that was not saved to its end', async () => {
    await context.log.saveSnapshot({ position: 4, format: 1, state: 'whole' });
    await context.reopen(() => context.harness.storeTornSnapshot(8));
    expect(await context.log.loadSnapshot()).toEqual({ position: 4, format: 1, state: 'whole' });
    expect((await context.log.loadSnapshot(8))?.position).toBe(4);
  });
}
