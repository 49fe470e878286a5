import { expect, test } from 'vitest';
import { importFaults } from './testing/imported.ts';

test('a file of Usher needs no import', () => {
  for (const text of ['pools: {}', 'listen: [":80"]\ncolour: red'])
    expect(importFaults(text)).toEqual(['1:1: this is a file of Usher already']);
  expect(importFaults('{}', 'usher')).toEqual(['1:1: this is a file of Usher already']);
});

test.each([
  ['a table of users', 'root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n'],
  ['a text', 'Dear all,'],
  ['a list', '- 1\n- 2'],
  ['keys of nobody', 'colour: red'],
])('%s is a file of no system that is known', (_what, text) => {
  expect(importFaults(text).join()).toMatch(/this is a configuration of no system that Usher knows/);
});
