import { expect, test } from 'vitest';
import { rewritten } from './rewrite-path.ts';

test.each([
  ['/api/users?a=/api', { strip: '/api' }, '/users?a=/api'],
  ['/api', { strip: '/api' }, '/'],
  ['/api?a', { strip: '/api' }, '/?a'],
  ['/apix', { strip: '/api' }, '/apix'],
  ['/x/api', { strip: '/api' }, '/x/api'],
  ['/api//evil.example/x', { strip: '/api' }, '/evil.example/x'],
  ['/api/\\evil.example', { strip: '/api' }, '/evil.example'],
  ['/api/%252e%252e/a%2Fb', { strip: '/api' }, '/%252e%252e/a%2Fb'],
  ['/api/x', { strip: '/api', add: '/v2' }, '/v2/x'],
  ['/api', { strip: '/api', add: '/v2' }, '/v2'],
  ['/', { add: '/v2' }, '/v2/'],
  ['*', { add: '/v2' }, '*'],
])('%s with %j is %s', (target, settings, expected) => {
  expect(rewritten(target, settings)).toBe(expected);
});
