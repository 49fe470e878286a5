import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { tempDir } from '@usher/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { keptKey } from './kept-key.ts';

let dir: ReturnType<typeof tempDir>;

beforeEach(() => {
  dir = tempDir();
});
afterEach(() => dir.remove());

test('the first key that is offered is kept, for its owner alone to read', () => {
  const file = `${dir.path}/cookies.key`;
  expect(keptKey(file, 'first')).toBe('first');
  expect(keptKey(file, 'second')).toBe('first');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(dir.path)).toEqual(['cookies.key']);
});

test('a file that somebody wrote counts, and one that cannot be read is an error', () => {
  writeFileSync(`${dir.path}/own`, 'mine\n');
  expect(keptKey(`${dir.path}/own`, 'other')).toBe('mine');
  expect(() => keptKey(dir.path, 'other')).toThrow(/EISDIR/);
  expect(() => keptKey(`${dir.path}/nowhere/key`, 'other')).toThrow(/ENOENT/);
});
