import { expect, test } from 'vitest';
import { MeanWindow } from './mean-window.ts';

test('has no means before the first sample', () => {
  expect(new MeanWindow(3).means()).toEqual([]);
});

test('gives the mean of each value over the newest samples only', () => {
  const window = new MeanWindow(3);
  window.add([1, 10]);
  expect(window.means()).toEqual([1, 10]);
  for (const value of [2, 3, 4]) window.add([value, value * 10]);
  expect(window.means()).toEqual([3, 30]);
});

test('starts anew when the number of values changes', () => {
  const window = new MeanWindow(3);
  window.add([100, 100]);
  window.add([5]);
  expect(window.means()).toEqual([5]);
});
