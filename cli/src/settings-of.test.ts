import { expect, test } from 'vitest';
import { UsageError } from './io.ts';
import { settingsOf } from './settings-of.ts';

const BASE = { breaker: { failures: 5, successes: 2 } };

test('a setting is JSON or else a text, and of what lies deeper the rest stays', () => {
  const texts = ['drainMs=5', 'strategy=maglev', 'hash=null', 'breaker.failures=3', 'tls.caFile=/a=b'];
  expect(settingsOf(texts, BASE)).toEqual({
    drainMs: 5,
    strategy: 'maglev',
    hash: null,
    breaker: { failures: 3, successes: 2 },
    tls: { caFile: '/a=b' },
  });
});

test.each(['drainMs', '=5', 'a..b=1', '.a=1'])('%s is no setting', (text) => {
  expect(() => settingsOf([text], BASE)).toThrow(UsageError);
});
