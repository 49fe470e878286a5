import { expect, test } from 'vitest';
import { parseConfigText } from '../load.ts';
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

test.each([
  ['helios', 'server: { port: 8080 }\nbackends: [{ name: a, address: "http://a" }]'],
  ['connx', 'server: { port: 8080 }\nbackends: [{ url: "http://a", weight: 1 }]'],
  ['velo', 'backends: { urls: ["http://a"] }\nstrategy: roundrobin'],
  ['load-balancer', 'listen: { port: 8080 }\nalgorithm: random\nbackends: [{ id: a, url: "http://a" }]'],
])('pools of %s fail closed and eject nobody, as it does', (format, text) => {
  expect(parseConfigText(text, { format }).shared.pools[0]).toMatchObject({
    id: 'web',
    failOpen: false,
    passive: { enabled: false },
  });
});

test('pools of Opsen have no panic, as it never sends to who is unhealthy', () => {
  const { shared } = parseConfigText('port: 8080\nserver_key: k\n', { format: 'opsen-server' });
  expect(shared.pools.find(({ id }) => id === 'opsen')).toMatchObject({ panic: 0 });
});
