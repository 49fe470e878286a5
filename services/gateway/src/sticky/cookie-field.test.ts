import { expect, test } from 'vitest';
import { cookieAttributes, findCookie, withoutSeparator } from './cookie-field.ts';

function valueIn(text: string, name = 'usher'): string | undefined {
  const place = { start: 0, end: 0, valueStart: 0, valueEnd: 0 };
  const around = `usher=before; ${text}`;
  if (!findCookie(around, 14, around.length, name, place)) return undefined;
  return around.slice(place.valueStart, place.valueEnd);
}

test.each([
  ['usher=a', 'a'],
  ['a=b; usher=c; d=e', 'c'],
  ['a=b;usher=c', 'c'],
  ['  usher=c \t;', 'c'],
  ['usher=', ''],
  ['usher=  ; usher=b', ''],
  ['usher=a=b', 'a=b'],
  ['xusher=a', undefined],
  ['usherx=a', undefined],
  ['a=usher=b', undefined],
  ['usher', undefined],
  ['usher; a=b', undefined],
  ['Usher=a', undefined],
  ['', undefined],
  [';;;', undefined],
])('in %j the cookie has the value %j', (text, value) => {
  expect(valueIn(text)).toBe(value);
});

test('what is left of a header ends without a separator', () => {
  expect(withoutSeparator('a=b; ')).toBe('a=b');
  expect(withoutSeparator('a=b')).toBe('a=b');
  expect(withoutSeparator('; ; ')).toBe('');
});

test('attributes keep the cookie from scripts, other sites and the open air', () => {
  const settings = {
    by: 'cookie',
    name: 'usher',
    path: '/',
    sameSite: 'lax',
    secure: 'auto',
    keys: [],
    ttlMs: 1,
    idleMs: 1,
    affinity: true,
  } as const;
  expect(cookieAttributes(settings, false)).toBe('; Path=/; HttpOnly; SameSite=Lax');
  expect(cookieAttributes(settings, true)).toBe('; Path=/; HttpOnly; SameSite=Lax; Secure');
  expect(cookieAttributes({ ...settings, secure: 'never' }, true)).not.toContain('Secure');
  expect(
    cookieAttributes(
      { ...settings, secure: 'always', sameSite: 'none', path: '/shop', domain: 'a.b' },
      false,
    ),
  ).toBe('; Path=/shop; HttpOnly; SameSite=None; Domain=a.b; Secure');
});
