import { describe, expect, test } from 'vitest';
import type { StateStoreSubject } from './state-store-contract.ts';

const LONG_MS = 60_000;
const SHORT_MS = 40;
const PASSES_MAX = 1_000;

const to = (
  backend: string,
  parts: { id?: string; pool?: string; ttlMs?: number; idleMs?: number } = {},
) => ({
  pool: 'p',
  id: 's',
  backend,
  ttlMs: LONG_MS,
  idleMs: LONG_MS,
  ...parts,
});

/** What every driver must do with sticky assignments. */
export function testSticky(subject: () => StateStoreSubject): void {
  const sticky = () => subject().store.sticky;

  describe('sticky assignments', () => {
    test('the first who assigns an id decides, and all others are told', async () => {
      expect(await sticky().get('p', 's')).toBeUndefined();
      const wanted = Array.from({ length: 50 }, (_, index) => sticky().assign(to(`b${index}`)));
      const [first, ...others] = await Promise.all(wanted);
      expect(new Set(others)).toEqual(new Set([first]));
      expect(await sticky().get('p', 's')).toBe(first);
    });

    test('of many who move an id away from a backend one decides where', async () => {
      await sticky().assign(to('b1'));
      const wanted = Array.from({ length: 50 }, (_, index) => sticky().move(to(`c${index}`), 'b1'));
      const [first, ...others] = await Promise.all(wanted);
      expect(first).toMatch(/^c/);
      expect(new Set(others)).toEqual(new Set([first]));
      expect(await sticky().move(to('d'), 'b1')).toBe(first);
      expect(await sticky().move(to('d', { id: 'unknown' }), 'b1')).toBeUndefined();
    });

    test('an assignment ends only for who knows where it is', async () => {
      await sticky().assign(to('b1'));
      expect(await sticky().clear('p', 's', 'b2')).toBe(false);
      expect(await sticky().get('p', 's')).toBe('b1');
      expect(await sticky().clear('p', 's', 'b1')).toBe(true);
      expect(await sticky().clear('p', 's', 'b1')).toBe(false);
      expect(await sticky().get('p', 's')).toBeUndefined();
    });

    test('pools and ids have nothing to do with each other, whatever characters they have', async () => {
      const ids = ['s', 's ', ' s', 'S', '{p}:s', 'ü 試\n\0"\\', 'a:b'];
      for (const [index, id] of ids.entries()) await sticky().assign(to(`b${index}`, { id }));
      await sticky().assign(to('other', { pool: 'q' }));
      for (const [index, id] of ids.entries()) expect(await sticky().get('p', id)).toBe(`b${index}`);
      expect(await sticky().get('q', 's')).toBe('other');
    });

    test('an assignment ends when its time is over, however much it is used', async () => {
      await sticky().assign(to('b1', { ttlMs: SHORT_MS }));
      await until(subject(), async () => (await sticky().get('p', 's')) === undefined);
      expect(await sticky().assign(to('b2'))).toBe('b2');
    });

    test('an assignment that is used outlives one that is not', async () => {
      await sticky().assign(to('b1', { id: 'used', idleMs: 500 }));
      await sticky().assign(to('b1', { id: 'kept' }));
      await sticky().assign(to('b1', { id: 'idle', idleMs: SHORT_MS }));
      let gone = false;
      await until(subject(), async () => {
        expect(await sticky().get('p', 'used')).toBe('b1');
        gone =
          !(await sticky().clear('p', 'idle', 'elsewhere')) &&
          (await sticky().move(to('x', { id: 'idle' }), 'elsewhere')) === undefined;
        return gone;
      });
      expect(await sticky().get('p', 'kept')).toBe('b1');
    });

    test('a moved assignment begins its time anew', async () => {
      await sticky().assign(to('b1', { ttlMs: SHORT_MS }));
      await sticky().assign(to('b1', { id: 'other', ttlMs: SHORT_MS }));
      expect(await sticky().move(to('b2'), 'b1')).toBe('b2');
      await until(subject(), async () => (await sticky().get('p', 'other')) === undefined);
      expect(await sticky().get('p', 's')).toBe('b2');
    });
  });
}

async function until(subject: StateStoreSubject, holds: () => Promise<boolean>): Promise<void> {
  for (let passes = 0; passes < PASSES_MAX; passes++) {
    if (await holds()) return;
    await subject.pass();
  }
  throw new Error('what was waited for did not happen');
}
