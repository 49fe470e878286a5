import { describe, expect, test } from 'vitest';
import { DIFFERENCES } from './differences.ts';
import { compare, splitFinding } from './findings.ts';
import { fuzz } from './fuzzer.ts';
import { inputOf } from './inputs.ts';
import { minimise } from './minimise.ts';
import type { ReadMessage } from './reading.ts';

const message = (changes: Partial<ReadMessage> = {}): ReadMessage => ({
  start: 'GET /',
  fields: ['Host', 'a'],
  payload: '',
  trailers: [],
  complete: true,
  ...changes,
});
const reading = (...messages: readonly ReadMessage[]) => ({ messages, refusal: undefined });

const hasBAndSplitBeforeD = async (text: string, splitAt: number): Promise<boolean> =>
  text.includes('b') && text.slice(splitAt).includes('d');

describe('our parsers and Node’s', () => {
  test('differ only where that is on purpose, on 100,000 generated and damaged messages', async () => {
    const { inputs, findings, outcomes } = await fuzz({ inputs: 100_000, seed: 1 });
    expect(findings).toEqual([]);
    expect(inputs).toBe(100_000);
    expect(outcomes.get('same')).toBeGreaterThan(20_000);
    for (const { name } of DIFFERENCES) expect(outcomes.get(name), name).toBeGreaterThan(0);
  }, 120_000);
});

describe('a comparison', () => {
  test('finds what only we accept', () => {
    const compared = compare(reading(message()), { messages: [], refusal: 'HPE_STRICT' }, '');
    expect(compared).toMatchObject({ kind: 'finding', what: expect.stringContaining('HPE_STRICT') });
    const half = reading(message({ complete: false }));
    expect(compare(reading(message()), half, '')).toMatchObject({ kind: 'finding' });
  });

  test.each([
    ['start', { start: 'GET /x' }],
    ['fields', { fields: ['Host', 'b'] }],
    ['payload', { payload: 'x' }],
    ['trailers', { trailers: ['X', 'y'] }],
  ])('finds another %s', (what, changes) => {
    const compared = compare(reading(message()), reading(message(changes)), '');
    expect(compared).toMatchObject({ kind: 'finding', what: expect.stringContaining(what) });
  });

  test('finds that Node saw the end of a message where we still wait for it', () => {
    const compared = compare(reading(message({ complete: false })), reading(message()), '');
    expect(compared).toMatchObject({ kind: 'finding' });
  });

  test('finds nothing where we are the stricter ones, or both refuse', () => {
    const refused = { messages: [], refusal: 'no' };
    expect(compare(refused, reading(message()), '')).toEqual({ kind: 'stricter' });
    expect(compare(refused, { messages: [], refusal: 'HPE_STRICT' }, '')).toEqual({ kind: 'neither' });
    expect(compare(reading(message()), reading(message()), '')).toEqual({ kind: 'same' });
  });

  test('finds what a split changed, unless it only puts a refusal off', () => {
    const refused = { messages: [], refusal: 'no' };
    expect(splitFinding(reading(), refused)).toContain('refusal');
    expect(splitFinding(reading(message()), reading())).toContain('messages');
    expect(splitFinding(reading(message()), reading(message({ payload: 'x' })))).toContain('payload');
    expect(splitFinding(refused, reading())).toBeUndefined();
  });
});

describe('an input', () => {
  test('is wholly given by its seed', () => {
    expect(inputOf(7)).toEqual(inputOf(7));
    expect(inputOf(8)).not.toEqual(inputOf(7));
  });

  test('is made as short as it can be and still shows the same', async () => {
    expect(await minimise('aaabcccdeee', 5, hasBAndSplitBeforeD)).toMatchObject({ text: 'bd' });
  });
});
