import { decodeWord, encodeWords } from '@usher/events';
import { expect, test } from 'vitest';
import { HeardGateways } from './heard-gateways.ts';

const many = new Map(Array.from({ length: 25_000 }, (_, index) => [`backend-${index}`, index + 1]));

function sums(heard: HeardGateways, nowMs: number): Map<string, number> {
  const all = new Map<string, number>();
  heard.addTo(all, nowMs);
  return all;
}

test('what many backends have under way goes in several messages and counts when all are there', () => {
  const words = encodeWords(7, many);
  expect(words.length).toBe(3);
  for (const word of words) expect(word.length).toBeLessThan(2 ** 20);
  const heard = new HeardGateways();
  for (const word of words.slice(0, 2)) heard.hear('gw-2', decodeWord(word)!, 0);
  expect(sums(heard, 0).size).toBe(0);
  heard.hear('gw-2', decodeWord(words[2]!)!, 0);
  expect(sums(heard, 0)).toEqual(many);
});

test('a round that replaces another leaves nothing of it', () => {
  const heard = new HeardGateways();
  for (const [round, backend] of ['b1', 'b2'].entries())
    for (const word of encodeWords(round, new Map([[backend, 2]]))) heard.hear('gw-2', decodeWord(word)!, 0);
  expect(sums(heard, 0)).toEqual(new Map([['b2', 2]]));
});

test('several gateways add up, each by how old its word is', () => {
  const heard = new HeardGateways();
  heard.hear('gw-2', { round: 1, more: false, inFlight: new Map([['b1', 10]]) }, 0);
  heard.hear('gw-3', { round: 1, more: false, inFlight: new Map([['b1', 4]]) }, 650);
  expect(sums(heard, 650)).toEqual(new Map([['b1', 9]]));
  expect(sums(heard, 1_000)).toEqual(new Map([['b1', expect.closeTo(4 * (650 / 700), 6)]]));
  expect(sums(heard, 1_700).size).toBe(0);
});

test.each([
  '',
  'null',
  '[]',
  '{"round":1}',
  '{"round":"1","more":false,"inFlight":{}}',
  '{"round":1,"more":false,"inFlight":null}',
])('what is no message is none: %s', (payload) => {
  expect(decodeWord(payload)).toBeUndefined();
});

test('counts that are none are left out', () => {
  const word = decodeWord('{"round":1,"more":false,"inFlight":{"a":-1,"b":1.5,"c":"2","__proto__":3,"d":4}}');
  expect([...word!.inFlight]).toEqual([
    ['__proto__', 3],
    ['d', 4],
  ]);
});
