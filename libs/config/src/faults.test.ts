import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ConfigError } from './fault.ts';
import { parseConfigText } from './load.ts';
import { faultsOf } from './testing/faults-of.ts';

interface FaultyFile {
  readonly title: string;
  readonly text: string;
  readonly faults: readonly string[];
}

/** Blocks of `## title`, the text of a file, and `=> ` before each line that must come out. */
function readFaultyFiles(name: string): FaultyFile[] {
  const blocks = readFileSync(new URL(`faulty/${name}.txt`, import.meta.url), 'utf8').split(/^## /m);
  return blocks.slice(1).map((block) => {
    const [title = '', ...lines] = block.trimEnd().split('\n');
    return {
      title,
      text: lines.filter((line) => !line.startsWith('=> ')).join('\n'),
      faults: lines.filter((line) => line.startsWith('=> ')).map((line) => line.slice(3)),
    };
  });
}

const groups = ['yaml', 'values', 'backends', 'references'].map(
  (name) => [name, readFaultyFiles(name)] as const,
);

describe.each(groups)('a file with faults in its %s', (_name, files) => {
  test.each(files)('is refused for $title', ({ text, faults }) => {
    expect(faults.length).toBeGreaterThan(0);
    expect(faultsOf(text)).toEqual(faults);
  });
});

test('there are many examples of faulty files', () => {
  expect(groups.flatMap(([, files]) => files).length).toBeGreaterThan(120);
});

test('all faults of a file come at once, in its order', () => {
  const text = [
    'listne: ["0.0.0.0:8080"]',
    'workers: two',
    'timeouts: { idle: 30 }',
    'pools:',
    '  web: { strategy: rr, backends: [{ id: a, url: "htps://x" }, { id: a, url: "http://y" }] }',
    'routes: [{ path: "/*", pool: wbe }]',
    'admin: { address: "0.0.0.0:9091" }',
  ].join('\n');
  expect(
    faultsOf(text, { env: { USHER_WORKRES: '2' }, overrides: [{ path: 'limits.connections', value: '0' }] }),
  ).toEqual([
    '1:1 listne: unknown key, did you mean "listen"?',
    '2:10 workers: expected auto or a whole number from 1 to 256, found "two"',
    '3:19 timeouts.idle: a duration needs its unit, did you mean "30s"?',
    '5:20 pools.web.strategy: "rr" is not one of round_robin, weighted_round_robin, random, least_connections, p2c, ip_hash, consistent_hash, maglev, peak_ewma, least_response_time, resource, custom',
    '5:49 pools.web.backends[0].url: the scheme htps:// is not supported; expected a URL such as http://10.0.0.1:3000',
    '5:69 pools.web.backends[1].id: "a" is given twice, first by pools.web.backends[0], f:5:41',
    '6:30 routes[0].pool: there is no pool "wbe", did you mean "web"?',
    '7:19 admin.address: 0.0.0.0:9091 can be reached from other machines, but there are no tokens, so anyone could take over; add tokens or use 127.0.0.1',
    'env USHER_WORKRES: unknown key, did you mean "USHER_WORKERS"?',
    'flag --set limits.connections: expected a whole number from 1 to 10000000, found 0',
  ]);
});

test('lines that end in CR LF count like others', () => {
  expect(faultsOf('name: a\r\nworkers: x\r\n')).toEqual([
    '2:10 workers: expected auto or a whole number from 1 to 256, found "x"',
  ]);
});

test('aliases of aliases are not expanded without bound', () => {
  const lines = ['a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]'];
  for (const [of, name] of ['ab', 'bc', 'cd', 'de', 'ef']) {
    lines.push(`${name}: &${name} [${Array.from({ length: 10 }, () => `*${of}`).join(', ')}]`);
  }
  expect(faultsOf(lines.join('\n'))).toEqual([
    expect.stringMatching(/^1:\d+: aliases repeat more than 100000 values$/),
  ]);
});

test.each([
  ['brackets', `listen: ${'['.repeat(200)}${']'.repeat(200)}`, /nested more than 64 levels deep$/],
  ['very many brackets', `listen: ${'['.repeat(50_000)}${']'.repeat(50_000)}`, /nested too deeply$/],
  ['dashes', `listen:\n${'- '.repeat(5000)}`, /nested (too deeply|more than 64 levels deep)$/],
])('nesting too deeply with %s is a fault and no crash', (_what, text, message) => {
  expect(faultsOf(text).join('\n')).toMatch(message);
});

test('an alias stands for the value it names', () => {
  const config = parseConfigText(
    'pools:\n  a: { health: &probe { type: tcp, interval: 9s } }\n  b: { health: *probe }\n',
  );
  expect(config.shared.pools.map((pool) => pool.health)).toEqual([
    { type: 'tcp', intervalMs: 9000, downIntervalMs: 27_000, timeoutMs: 2000, fall: 3, rise: 2 },
    { type: 'tcp', intervalMs: 9000, downIntervalMs: 27_000, timeoutMs: 2000, fall: 3, rise: 2 },
  ]);
});

test('a fault carries its place and suggestion for programs', () => {
  expect.assertions(1);
  try {
    parseConfigText('pools: { web: { strategy: p3c } }', { file: 'usher.yaml' });
  } catch (error) {
    expect((error as ConfigError).faults).toEqual([
      {
        place: { kind: 'file', file: 'usher.yaml', line: 1, column: 27 },
        path: 'pools.web.strategy',
        message:
          '"p3c" is not one of round_robin, weighted_round_robin, random, least_connections, p2c, ip_hash, consistent_hash, maglev, peak_ewma, least_response_time, resource, custom',
        suggestion: 'p2c',
      },
    ]);
  }
});
