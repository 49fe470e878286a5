import { seededRandom } from '@usher/testing';
import { expect, test } from 'vitest';
import { ANY_TIER, CookieCodec } from './cookie-codec.ts';
import { CookieKey } from './cookie-key.ts';

const OLD = 'the key of the year before last';
const NEW = 'the key that counts from now on';
const BACKENDS = Array.from({ length: 20 }, (_, index) => ({ id: `backend-${index}` }));

function codec(secrets: readonly string[] = [NEW], pool = 'web'): CookieCodec {
  return new CookieCodec(secrets.map((secret) => new CookieKey(secret, pool)));
}

const content = {
  session: Buffer.from('twelve bytes').toString('base64url'),
  issuedS: 1_800_000_000,
  seenS: 1_800_000_500,
  seats: [{ tier: ANY_TIER, backend: 'backend-7' }],
};

test('what was written is read again, by every process that has the key', () => {
  const value = codec().encode(content);
  expect(codec().decode(value, BACKENDS)).toEqual({ ...content, current: true });
  const tiered = {
    ...content,
    seats: [
      ...content.seats,
      { tier: 77, backend: 'backend-1' },
      { tier: 2 ** 32 - 1, backend: 'backend-2' },
    ],
  };
  expect(codec().decode(codec().encode(tiered), BACKENDS)).toEqual({ ...tiered, current: true });
});

test('it says nothing that anybody without the key could read', () => {
  const value = codec().encode(content);
  expect(value).toMatch(/^[A-Za-z0-9_-]{60,80}$/);
  for (const text of [value, Buffer.from(value, 'base64url').toString('latin1')])
    expect(text).not.toContain('backend');
  const [tag, other] = [NEW, OLD].map((secret) => new CookieKey(secret, 'web').tagOf('backend-7'));
  expect(tag).not.toBe(other);
});

test('no changed character, and no other text, is taken for a cookie', () => {
  const one = codec();
  const value = one.encode(content);
  const others = 'ABCz09-_+/=. "';
  for (let at = 0; at < value.length; at++) {
    for (const char of others) {
      if (value[at] === char) continue;
      expect(one.decode(value.slice(0, at) + char + value.slice(at + 1), BACKENDS)).toBeUndefined();
    }
    expect(one.decode(value.slice(0, at), BACKENDS)).toBeUndefined();
    expect(one.decode(value.slice(at + 1), BACKENDS)).toBeUndefined();
  }
  const random = seededRandom(3);
  for (let round = 0; round < 2000; round++) {
    const length = Math.floor(random.next() * 140);
    const bytes = Buffer.from(Array.from({ length }, () => Math.floor(random.next() * 256)));
    bytes[0] = 1;
    expect(one.decode(bytes.toString('base64url'), BACKENDS)).toBeUndefined();
    expect(one.decode(bytes.toString('latin1'), BACKENDS)).toBeUndefined();
  }
});

test('a cookie of one pool means nothing to another', () => {
  expect(codec([NEW], 'api').decode(codec().encode(content), BACKENDS)).toBeUndefined();
});

test('the first key signs, and what the others have signed is good until they are gone', () => {
  const before = codec([OLD]).encode(content);
  const during = codec([NEW, OLD]);
  expect(during.decode(before, BACKENDS)).toEqual({ ...content, current: false });
  const after = during.encode(content);
  expect(codec([NEW]).decode(after, BACKENDS)).toEqual({ ...content, current: true });
  expect(codec([NEW]).decode(before, BACKENDS)).toBeUndefined();
  expect(codec([OLD]).decode(after, BACKENDS)).toBeUndefined();
});

test('a backend that nobody knows any more is left out', () => {
  const value = codec().encode(content);
  expect(codec().decode(value, [{ id: 'backend-8' }])).toEqual({ ...content, seats: [], current: true });
});

test('without a key nothing is written and nothing is good', () => {
  expect(codec([]).encode(content)).toBe('');
  expect(codec([]).decode(codec().encode(content), BACKENDS)).toBeUndefined();
});

test('of more tiers than a cookie has room for the first is kept, and those that came last', () => {
  const seats = Array.from({ length: 9 }, (_, tier) => ({ tier, backend: `backend-${tier}` }));
  const value = codec().encode({ ...content, seats });
  const read = codec().decode(value, BACKENDS);
  expect(read?.seats).toHaveLength(5);
  expect(read?.seats.at(0)).toEqual(seats[0]);
  expect(read?.seats.at(-1)).toEqual(seats.at(-1));
});
